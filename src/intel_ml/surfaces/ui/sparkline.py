"""The fourteen days of a card: cost per result above, spend with results below, the moment marked.

Reads   a card's trend and its reasons.
Gives   one SVG picture, or a sentence where nothing was delivered.
Never   draws a cost per result where there was no result, or for a day that is not over.
"""

from __future__ import annotations

from datetime import date

from intel_ml.core.days import account_day
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.surfaces.ui.charts import Panel, Shape, picture
from intel_ml.surfaces.ui.wording import number, safe


def sparkline(card: Card) -> str:
    """Return the picture of a card's trend."""
    if not any(point.spend for point in card.trend):
        return f'<p class="quiet">{safe("No delivery was seen in the last 14 days.")}</p>'
    days = tuple(point.day for point in card.trend)
    panels = [panel for panel in (_cost(card), _spend(card)) if panel is not None]
    return picture(panels, days=days, marked=_moment(card, days), mark_name="proposed")


def _cost(card: Card) -> Panel | None:
    # Today's results are not all in: its cost would look dear each morning.
    costs = (*(point.cpa for point in card.trend[:-1]), None)
    if all(cost is None for cost in costs):
        return None
    return Panel(
        title="Cost per result, full days",
        unit=card.currency,
        values=costs,
        limit=_threshold(card),
        limit_name="threshold",
        height=74,
    )


def _spend(card: Card) -> Panel:
    return Panel(
        title="Spend (results above; last bar: today so far)",
        unit=card.currency,
        values=tuple(point.spend for point in card.trend),
        shape=Shape.BARS,
        labels=tuple(_results(point) for point in card.trend),
        height=58,
    )


def _results(point: TrendPoint) -> str:
    return "?" if point.conversions is None else number(point.conversions)


def _threshold(card: Card) -> float | None:
    for reason in card.reasons:
        if (reason.field or "").split("_")[0] == "cpa" and reason.unit == card.currency:
            value = reason.threshold
            return None if value is None or isinstance(value, str) else float(value)
    return None


def _moment(card: Card, days: tuple[date, ...]) -> date | None:
    day = account_day(card.created_at, card.time_zone)
    return day if day in days else None
