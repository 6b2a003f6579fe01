"""Small figures for conclusions: labelled axes, bars from zero, one accent colour.

Reads   series and frames.
Gives   matplotlib figures and `Picture`, which a notebook shows and MLflow keeps; `Table`.
Never   imports pyplot: no global state, no window, half the time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ACCENT = "#2f6db5"
_WIDTH_INCHES, _LEAST_INCHES, _ROW_INCHES, _FRAME_INCHES = 6.4, 1.8, 0.22, 0.9
_DPI = 96
_TIGHT = 0.01
_UNKNOWN, _WHOLE = "unknown", 100


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


@dataclass(frozen=True, slots=True)
class Table:
    """A frame as a notebook shows it: three digits, whole sentences, nothing cut off."""

    frame: pd.DataFrame

    def _repr_html_(self) -> str:
        import pandas as pd  # noqa: PLC0415  # heavy

        with pd.option_context("display.max_colwidth", None):
            shown = self._said().to_html(float_format=_number, max_rows=None, max_cols=None)
        return f'<div style="overflow-x:auto">{shown}</div>'

    def __str__(self) -> str:
        return str(self._said().to_string(float_format=_number))

    def __repr__(self) -> str:
        return str(self)

    def _said(self) -> pd.DataFrame:
        return self.frame.astype(object).where(self.frame.notna(), _UNKNOWN)


def table(frame: pd.DataFrame) -> Table:
    """Return the frame to look at: its numbers with three digits, its words in full."""
    return Table(frame)


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
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(rows, [str(name) for name in frame.index])
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
