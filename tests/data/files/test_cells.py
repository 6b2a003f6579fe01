"""One cell to a number, an amount, a day."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError
from intel_ml.data.files.cells import day_of, has_decimal_comma, number, whole_number


@settings(deadline=None)
@given(st.decimals(0, 10**12, places=2))
def test_a_number_is_read_however_it_is_grouped(value):
    point, comma = f"{value:,.2f}", f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
    assert number(point, where="c", decimal_comma=False) == value
    assert number(comma, where="c", decimal_comma=True) == value
    assert number(point.replace(",", "\u00a0"), where="c", decimal_comma=False) == value


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_number_unknown_or_refused(text):
    try:
        value = number(text, where="c", decimal_comma=False)
    except InvalidValueError:
        return
    assert value is None or (value.is_finite() and value >= 0)


@pytest.mark.parametrize("text", ["", "-", "\u2013", "N/A", "null"])
def test_nothing_said_is_unknown(text):
    assert number(text, where="c", decimal_comma=False) is None


@pytest.mark.parametrize(
    "text", ["-1", "1,23,4", "1.2.3", "=1", "0x10", "1e999", "inf", "NaN", "12 %", "$5", "1,2345"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InvalidValueError):
        number(text, where="c", decimal_comma=False)


@pytest.mark.parametrize(
    ("cells", "delimiter", "expected"),
    [
        (["1,5", "2"], ";", True),
        (["1,234"], ";", True),  # a semicolon file of a comma country
        (["1,234"], "\t", False),  # a thousand, as far as anyone can tell
        (["1,234", "1,5"], "\t", True),
        (["1.5", "1,234"], ";", False),
        (["1.234,50"], ";", True),
        (["1,5"], ",", False),
        ([], ";", False),
    ],
)
def test_the_decimal_mark_is_settled_once(cells, delimiter, expected):
    assert has_decimal_comma(cells, delimiter) is expected


def test_a_count_is_whole():
    assert whole_number("12", where="c", decimal_comma=False) == 12
    with pytest.raises(InvalidValueError, match="whole"):
        whole_number("1.5", where="c", decimal_comma=False)


def test_scientific_notation_is_exact():
    assert number("1.5e3", where="c", decimal_comma=False) == Decimal(1500)


@pytest.mark.parametrize("text", ["2026-11-22", "2026/11/22", "2026-11-22T00:00:00"])
def test_a_day_is_written_year_first(text):
    assert str(day_of(text, where="c")) == "2026-11-22"


@pytest.mark.parametrize("text", ["", "22/11/2026", "2026-13-01", "2025-02-29"])
def test_any_other_day_is_refused(text):
    with pytest.raises(InvalidValueError):
        day_of(text, where="c")
