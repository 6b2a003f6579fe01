"""Signatures by hand-made histories."""

from __future__ import annotations

import pytest

from intel_ml.features.catalogue import Role, names
from intel_ml.features.history import KEYS
from tests.features.histories import History, account, ask

DATED_ONLY = (
    *("cpa_volatility", "fatigue_rate", "optimal_frequency"),
    *("best_hour_concentration", "budget_efficiency"),
)


def test_costs_and_rates_are_ratios_of_sums() -> None:
    signature = ask(
        History().entity().day(1, spend_minor=10_00, conversions=1.0).day(20), "signature"
    )
    assert signature["avg_cpa"] == pytest.approx(40 / 3)
    assert signature["avg_cpa_ratio"] == pytest.approx(2 / 3)
    assert signature["conversion_rate"] == pytest.approx(7.5)  # 3 of 40
    assert signature["ctr"] == pytest.approx(2.0)
    assert signature["cpc"] == pytest.approx(1.0)


def test_undated_totals_give_what_needs_no_days() -> None:
    signature = ask(History().entity().day(1, is_total=True), "signature")
    assert signature["avg_cpa"] == pytest.approx(15.0)
    assert signature["conversion_rate"] == pytest.approx(10.0)
    assert [signature[name] for name in DATED_ONLY] == [None] * len(DATED_ONLY)


def test_only_the_newest_totals_count() -> None:
    history = History().entity().day(9, is_total=True, spend_minor=999_00).day(1, is_total=True)
    assert ask(history, "signature")["avg_cpa"] == pytest.approx(15.0)


def test_volatility_is_in_parts_of_itself_and_needs_three_days() -> None:
    history = History().entity().day(1, spend_minor=10_00, conversions=1.0)
    history.day(2, spend_minor=30_00, conversions=1.0)
    assert ask(history, "signature")["cpa_volatility"] is None
    history.day(3, spend_minor=20_00, conversions=1.0)
    assert ask(history, "signature")["cpa_volatility"] == pytest.approx((2 / 3) ** 0.5 / 2)


@pytest.mark.parametrize(("now", "before", "lost"), [(15, 20, 0.25), (30, 20, 0.0)])
def test_fatigue_is_the_part_of_the_ctr_that_was_lost(now: int, before: int, lost: float) -> None:
    history = History().entity().day(1, clicks=now).day(10, clicks=before)
    assert ask(history, "signature")["fatigue_rate"] == pytest.approx(lost)


def test_frequency_that_sells_is_weighted_by_what_was_sold() -> None:
    history = History().entity().day(1, conversions=3.0).day(2, reach=1000, conversions=1.0)
    assert ask(history, "signature")["optimal_frequency"] == pytest.approx((3 * 2 + 1 * 1) / 4)


def test_best_hours_hold_their_part_of_the_results() -> None:
    history = History().entity().look(11, conversions=1.0).look(5, conversions=4.0)
    assert ask(history, "signature")["best_hour_concentration"] == pytest.approx(0.75)


def test_spend_is_efficient_on_days_at_or_under_the_target() -> None:
    history = History().entity().day(1).day(2, conversions=1.0).day(3, conversions=0.0)
    assert ask(history, "signature")["budget_efficiency"] == pytest.approx(1 / 3)


def test_without_a_target_efficiency_is_held_against_the_account() -> None:
    history = History(accounts=[account(target_cpa=None)]).entity().entity("8")
    history.day(1).day(1, entity_id="8", conversions=1.0)
    signature = ask(history, "signature")
    assert signature["budget_efficiency"] == pytest.approx(1.0)  # 15 under 20
    assert signature["avg_cpa_ratio"] is None
    assert ask(history, "signature", key="8")["budget_efficiency"] == pytest.approx(0.0)


def test_an_entity_without_history_has_an_unknown_signature() -> None:
    signature = ask(History().entity(), "signature")
    assert {signature[name] for name in names(role=Role.SIGNATURE)} == {None}
    assert set(signature) == {*KEYS, *names(role=Role.SIGNATURE)}
