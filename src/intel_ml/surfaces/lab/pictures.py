"""Small figures for conclusions: labelled axes, bars from zero, one accent colour.

Reads   series and frames.
Gives   matplotlib figures and `Picture`, which a notebook shows and MLflow keeps; `Table`, `Said`.
Never   imports pyplot: no global state, no window, half the time.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ACCENT = "#2f6db5"
_WIDTH_INCHES, _LEAST_INCHES, _ROW_INCHES, _FRAME_INCHES = 6.4, 1.8, 0.22, 0.9
_DPI = 96
_TIGHT, _HALF_ROW = 0.01, 0.6
_UNKNOWN, _WHOLE = "unknown", 100
_NOTHING = "Too little was seen for this yet."


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as it was kept."""

    name: str
    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


def picture(figure: Figure, name: str) -> Picture:
    """Return the figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
    return Picture(name, buffer.getvalue())


def embedded(figure: Figure, says: str) -> str:
    """Return the figure as part of a page; `says` is for who cannot see it."""
    text = base64.b64encode(picture(figure, "").png).decode()
    return f'<img alt="{escape(says)}" src="data:image/png;base64,{text}"/>'


@dataclass(frozen=True, slots=True)
class Table:
    """A frame as a notebook shows it: three digits, whole sentences, nothing cut off."""

    frame: pd.DataFrame

    def _repr_html_(self) -> str:
        import pandas as pd  # noqa: PLC0415  # heavy

        if self.frame.empty:
            return f"<p>{_NOTHING}</p>"
        with pd.option_context("display.max_colwidth", None):
            shown = self._said().to_html(float_format=_number, max_rows=None, max_cols=None)
        return f'<div style="overflow-x:auto">{shown}</div>'

    def __str__(self) -> str:
        if self.frame.empty:
            return _NOTHING
        return str(self._said().to_string(float_format=_number))

    def __repr__(self) -> str:
        return str(self)

    def _said(self) -> pd.DataFrame:
        return self.frame.astype(object).where(self.frame.notna(), _UNKNOWN)


def table(frame: pd.DataFrame) -> Table:
    """Return the frame to look at: its numbers with three digits, its words in full."""
    return Table(frame)


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences as a notebook shows them: a paragraph, or a list where there are several."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        told = [escape(text) for text in self.sentences]
        if len(told) == 1:
            return f"<p>{told[0]}</p>"
        return f"<ul>{''.join(f'<li>{text}</li>' for text in told)}</ul>"

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return str(self)


def said(*sentences: str) -> Said:
    """Return what was found, in words; nothing in them is taken for markup."""
    return Said(sentences)


def bars(values: pd.Series, *, title: str, axis: str) -> Figure:
    """Return horizontal bars from zero, the first value on top; what is unknown has no bar."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    height = max(_LEAST_INCHES, _ROW_INCHES * len(values) + _FRAME_INCHES)
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots()
    numbers = values.to_numpy(dtype=float)[::-1]
    axes.barh([str(name) for name in values.index][::-1], numbers, color=ACCENT)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left")
    axes.margins(y=_TIGHT)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def intervals(frame: pd.DataFrame, *, title: str, axis: str) -> Figure:
    """Return a point with its interval for each row of a frame with columns value, low, high."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    height = max(_LEAST_INCHES, _ROW_INCHES * len(frame) + _FRAME_INCHES)
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(frame))[::-1]
    value = frame["value"].to_numpy(dtype=float)
    spread = np.vstack(
        [value - frame["low"].to_numpy(dtype=float), frame["high"].to_numpy(dtype=float) - value]
    )
    axes.errorbar(value, rows, xerr=np.maximum(spread, 0), fmt="o", color=ACCENT, capsize=3)
    axes.set_yticks(rows, [str(name) for name in frame.index])
    axes.set_ylim(-_HALF_ROW, max(len(frame) - 1, 0) + _HALF_ROW)
    if frame.empty:
        axes.set_xticks([])
        axes.text(0.5, 0.5, _NOTHING, ha="center", va="center", transform=axes.transAxes)
    else:
        axes.axvline(0, color="black", linewidth=0.6)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def odds(factors: Sequence[float]) -> Figure:
    """Return what an even chance may really be where its odds were moved by each factor."""
    import pandas as pd  # noqa: PLC0415  # heavy

    rows = {
        f"{factor:g}-fold": (50.0, 100.0 / (1 + factor), 100.0 * factor / (1 + factor))
        for factor in factors
    }
    frame = pd.DataFrame.from_dict(rows, "index", columns=["value", "low", "high"])
    figure = intervals(
        frame,
        title="What looks like an even chance of approval may really be",
        axis="chance of approval, %",
    )
    figure.axes[0].set_xlim(0, _WHOLE)
    return figure


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
