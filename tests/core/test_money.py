from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError
from intel_ml.core.money import CURRENCIES, Money, currency_offset, money_from_major

currencies = st.sampled_from(sorted(CURRENCIES))


@given(currencies, st.integers(min_value=0, max_value=10**12))
def test_every_currency_round_trips_between_major_and_minor(currency: str, minor: int):
    money = Money(minor, currency)
    assert money_from_major(money.major, currency) == money
    assert money_from_major(str(money.major), currency) == money


@given(
    currencies,
    st.integers(min_value=0, max_value=10**10),
    st.integers(min_value=-99, max_value=500),
)
def test_a_change_in_percent_is_an_exact_integer_within_half_a_unit(
    currency: str, minor: int, percent: int
):
    changed = Money(minor, currency).changed_by(percent)
    assert abs(Decimal(changed.minor) - Decimal(minor) * (100 + percent) / 100) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("currency", "offset"),
    [("JPY", 1), ("HUF", 1), ("TWD", 1), ("ISK", 1), ("BHD", 100), ("JOD", 100), ("USD", 100)],
)
def test_offsets_are_metas_not_isos(currency: str, offset: int):
    assert currency_offset(currency) == offset


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e309x", "", "12,50", None])
def test_what_is_not_a_finite_number_is_refused(text: str):
    with pytest.raises(InvalidValueError):
        money_from_major(text, "USD")


def test_an_unknown_currency_is_refused_by_name():
    with pytest.raises(InvalidValueError, match="'XXX' is not a currency"):
        Money(1, "XXX")


@pytest.mark.parametrize(
    ("money", "text"), [(Money(1234567, "USD"), "12,345.67 USD"), (Money(5000, "JPY"), "5,000 JPY")]
)
def test_people_read_separators_and_the_currency(money: Money, text: str):
    assert str(money) == text
