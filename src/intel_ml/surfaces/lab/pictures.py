"""Small figures for conclusions: labelled axes, bars from zero, one accent colour.

Reads   series and frames.
Gives   matplotlib figures, and `Picture`, which a notebook shows and MLflow keeps.
Never   imports pyplot: no global state, no window, half the time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ACCENT, QUIET = "#2f6db5", "#c9d3dd"
_SIZE = (6.4, 3.2)
_DPI = 96
_ROW_INCHES = 0.22
_PALETTE = ("#2f6db5", "#d9822b", "#4c9f70", "#8e6bbf", "#b5495b", "#6b7c8c", "#c2a83e", "#3aa6b9")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as it was kept."""

    name: str
    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png


def picture(figure: Figure, name: str) -> Picture:
    """Return the figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
    return Picture(name, buffer.getvalue())


def bars(values: pd.Series, *, title: str, axis: str) -> Figure:
    """Return horizontal bars from zero, the first value on top; what is unknown has no bar."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    figure = Figure(figsize=(_SIZE[0], max(_SIZE[1] / 2, _ROW_INCHES * len(values) + 0.8)))
    axes = figure.subplots()
    numbers = values.to_numpy(dtype=float)[::-1]
    axes.barh([str(name) for name in values.index][::-1], numbers, color=ACCENT)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def intervals(frame: pd.DataFrame, *, title: str, axis: str) -> Figure:
    """Return a point with its interval for each row of a frame with columns value, low, high."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    figure = Figure(figsize=(_SIZE[0], max(_SIZE[1] / 2, 0.32 * len(frame) + 0.8)))
    axes = figure.subplots()
    rows = np.arange(len(frame))[::-1]
    value = frame["value"].to_numpy(dtype=float)
    spread = np.vstack([value - frame["low"].to_numpy(dtype=float), frame["high"].to_numpy(dtype=float) - value])
    axes.errorbar(value, rows, xerr=np.maximum(spread, 0), fmt="o", color=ACCENT, capsize=3)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(rows, [str(name) for name in frame.index])
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def clouds(frame: pd.DataFrame, *, by: str, title: str) -> Figure:
    """Return points of the first two columns of `frame`, one colour for each value of the column `by`."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    horizontal, vertical = [str(c) for c in frame.columns if c != by][:2]
    figure = Figure(figsize=_SIZE)
    axes = figure.subplots()
    for colour, (name, group) in zip(_cycle(frame[by].nunique()), frame.groupby(by), strict=False):
        axes.scatter(group[horizontal], group[vertical], s=14, color=colour, label=str(name), alpha=0.8)
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.set_title(title, loc="left")
    axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _cycle(count: int) -> list[str]:
    return [_PALETTE[i % len(_PALETTE)] for i in range(count)]
