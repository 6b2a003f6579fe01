"""Pictures start at zero, say their units, and leave gaps where nothing is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.surfaces.ui.charts import Panel, Shape, picture
from intel_ml.surfaces.ui.sparkline import sparkline

DAYS = tuple(date(2026, 11, 1) + timedelta(days=n) for n in range(7))
VALUES = st.lists(st.none() | st.floats(0, 1e9), min_size=7, max_size=7)


@given(values=VALUES, shape=st.sampled_from(Shape))
def test_any_values_give_well_formed_svg_with_unit_and_zero(
    values: list[float | None], shape: Shape
) -> None:
    svg = picture([Panel("Spend", "EUR", tuple(values), shape)], days=DAYS, marked=DAYS[3])
    ElementTree.fromstring(svg)  # noqa: S314  # our own text
    assert "Spend, EUR" in svg
    assert "nan" not in svg
    if any(value is not None for value in values):
        assert ">0</text>" in svg


@given(values=st.lists(st.floats(1, 1e6), min_size=7, max_size=7))
def test_bars_are_as_high_as_their_share_of_the_highest(values: list[float]) -> None:
    svg = picture([Panel("Spend", "EUR", tuple(values), Shape.BARS)], days=DAYS, marked=None)
    heights = [float(h) for h in re.findall(r'height="([\d.]+)"', svg)]
    for height, value in zip(heights, values, strict=True):
        assert abs(height / max(heights) - value / max(values)) < 0.01


def test_a_line_stops_where_a_day_is_not_known() -> None:
    svg = picture(
        [Panel("CPA", "EUR", (1.0, 2.0, None, 2.0, 3.0, 4.0, 1.0))], days=DAYS, marked=None
    )
    assert svg.count("<polyline") == 2


def test_the_cards_picture_marks_the_moment_and_the_threshold(card: Card) -> None:
    svg = sparkline(card)
    assert "proposed" in svg
    assert "threshold 40" in svg
    assert "Cost per result, full days, USD" in svg


def test_no_delivery_is_said_and_not_drawn(card: Card) -> None:
    still = tuple(TrendPoint(point.day, None, None, None, None) for point in card.trend)
    assert "No delivery" in sparkline(replace(card, trend=still))
