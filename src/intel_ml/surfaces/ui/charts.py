"""Small SVG panels: a line or bars over days, axes labelled with units, bars from zero.

Reads   one value a day, None where it is not known.
Gives   SVG text without scripts, in the colours of the page.
Never   joins a line across a day that is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from intel_ml.surfaces.ui.wording import number, safe

WIDTH = 400
LEFT, RIGHT = 48, 6
_TITLE, _GAP = 24, 10
_ROOM_FOR_LABELS = 1.22
_MANY_LABELS = 16


class Shape(StrEnum):
    """How a panel draws its values."""

    LINE = "line"
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity over days; `limit` is drawn as a dashed line with its name."""

    title: str
    unit: str
    values: tuple[float | None, ...]
    shape: Shape = Shape.LINE
    labels: tuple[str, ...] = ()
    limit: float | None = None
    limit_name: str = ""
    height: int = 62


def picture(
    panels: Sequence[Panel], *, days: Sequence[date], marked: date | None, mark_name: str = ""
) -> str:
    """Return the panels under each other on one axis of days; `marked` gets a vertical line."""
    heights = [panel.height + _TITLE + _GAP for panel in panels]
    total = sum(heights) + 18
    bottom = sum(heights) - _GAP
    parts = [_description(panels, days)]
    if marked in days:
        # Drawn first: bars and numbers stand before it.
        parts.append(_mark(days.index(marked), count=len(days), bottom=bottom, name=mark_name))
    top = 0
    for panel, height in zip(panels, heights, strict=True):
        parts.append(_panel(panel, top=top + _TITLE, count=len(days)))
        top += height
    parts.append(_day_axis(days, top=top + 8))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {total}" role="img" '
        f'aria-label="{safe(_spoken(panels))}" preserveAspectRatio="xMidYMid meet">'
        f"{''.join(parts)}</svg>"
    )


def _panel(panel: Panel, *, top: int, count: int) -> str:
    known = [value for value in panel.values if value is not None]
    title = f'<text class="t" x="0" y="{top - 12}">{safe(_title(panel))}</text>'
    if not known:
        return (
            title
            + f'<text class="m" x="{LEFT}" y="{top + 18}">not known on any of these days</text>'
        )
    most = max([*known, panel.limit or 0.0]) or 1.0
    highest = most * (_ROOM_FOR_LABELS if panel.labels else 1.0)
    most_y = _y(most, top, highest, panel.height)
    bottom = top + panel.height
    axis = (
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>'
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{most_y:.1f}" y2="{most_y:.1f}"/>'
        f'<text class="n" x="{LEFT - 6}" y="{most_y + 4:.1f}">{number(most)}</text>'
        f'<text class="n" x="{LEFT - 6}" y="{bottom + 1}">0</text>'
    )
    draw = _bars if panel.shape is Shape.BARS else _line
    return title + axis + draw(panel, top, highest, count) + _limit(panel, top, highest)


def _line(panel: Panel, top: int, highest: float, count: int) -> str:
    pieces: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(panel.values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((_x(index, count), _y(value, top, highest, panel.height)))
    drawn = []
    for piece in pieces:
        if len(piece) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
            drawn.append(f'<polyline class="line" points="{path}"/>')
        elif piece:
            drawn.append(
                f'<circle class="dot" cx="{piece[0][0]:.1f}" cy="{piece[0][1]:.1f}" r="2"/>'
            )
    last = next((piece[-1] for piece in reversed(pieces) if piece), None)
    if last:
        drawn.append(f'<circle class="dot" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.6"/>')
    return "".join(drawn)


def _bars(panel: Panel, top: int, highest: float, count: int) -> str:
    width = min(26.0, (WIDTH - LEFT - RIGHT) / count * 0.68)
    bottom = top + panel.height
    drawn = []
    for index, value in enumerate(panel.values):
        x = _x(index, count)
        if value is not None:
            y = _y(value, top, highest, panel.height)
            drawn.append(
                f'<rect class="bar" x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{max(0.0, bottom - y):.1f}"/>'
            )
        if panel.labels and count <= _MANY_LABELS:
            y = bottom if value is None else _y(value, top, highest, panel.height)
            drawn.append(
                f'<text class="c" x="{x:.1f}" y="{max(top + 8.0, y - 3):.1f}">'
                f"{safe(panel.labels[index])}</text>"
            )
    return "".join(drawn)


def _limit(panel: Panel, top: int, highest: float) -> str:
    if panel.limit is None:
        return ""
    y = _y(panel.limit, top, highest, panel.height)
    return f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _title(panel: Panel) -> str:
    dashed = "" if panel.limit is None else f"; dashed: {panel.limit_name} {number(panel.limit)}"
    return f"{panel.title}, {panel.unit}{dashed}"


def _mark(index: int, *, count: int, bottom: int, name: str) -> str:
    x = _x(index, count)
    return (
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TITLE - 14}" y2="{bottom}"/>'
        f'<text class="e" x="{x - 4:.1f}" y="{_TITLE - 12}">{safe(name)}</text>'
    )


def _day_axis(days: Sequence[date], *, top: int) -> str:
    count = len(days)
    shown = sorted({0, count // 2, count - 1}) if days else []
    anchors = {count - 1: "x"}
    return "".join(
        f'<text class="d {anchors.get(i, "")}" x="{_day_x(i, count):.1f}" y="{top}">'
        f"{days[i]:%-d %b}</text>"
        for i in shown
    )


def _x(index: int, count: int) -> float:
    room = (WIDTH - LEFT - RIGHT) / max(count, 1)
    return LEFT + room * (index + 0.5)


def _day_x(index: int, count: int) -> float:
    return WIDTH - RIGHT if index == count - 1 else _x(index, count)


def _y(value: float, top: int, highest: float, height: int) -> float:
    return top + height * (1 - max(0.0, value) / highest)


def _spoken(panels: Sequence[Panel]) -> str:
    return "; ".join(f"{panel.title} in {panel.unit} by day" for panel in panels)


def _description(panels: Sequence[Panel], days: Sequence[date]) -> str:
    if not days:
        return ""
    rows = []
    for panel in panels:
        last = next((v for v in reversed(panel.values) if v is not None), None)
        rows.append(
            f"{panel.title}: last {number(last) if last is not None else 'not known'} {panel.unit}"
        )
    return f"<desc>{safe('; '.join(rows), longest=400)}, {days[0]} to {days[-1]}</desc>"
