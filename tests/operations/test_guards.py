from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Source
from intel_ml.operations.facts import Change, Facts, Seen
from intel_ml.operations.guards import GUARDS, Becomes, first_refusal
from intel_ml.operations.limits import Limits
from intel_ml.operations.values import Value, after

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = Limits()


def _facts(percent: int = -20, *, budget: int = 5000, currency: str = "USD") -> Facts:
    kind = ActionType.DECREASE_BUDGET if percent < 0 else ActionType.INCREASE_BUDGET
    action, before = Action(kind, percent), Value(currency, budget, "ACTIVE")
    change = Change(
        account_id="act_1",
        action_id=1,
        key="k",
        entity_type=EntityType.ADSET,
        entity_id="11",
        entity_name="A",
        action=action,
        before=before,
        after=after(before, action),
        source=Source.RULES,
        is_undo=False,
        was_modified=False,
        requires_approval=True,
        is_approved=True,
        expires_at=NOW + timedelta(hours=1),
        rule_id=1,
        confidence=None,
    )
    return Facts(
        now=NOW,
        change=change,
        seen=Seen(before, "ACTIVE", campaign_id="5"),
        parent=Seen(Value(currency, None, "ACTIVE"), "ACTIVE"),
        acting_allowed=True,
        others_in_last_hour=(),
        budget_changes_in_last_hour=(),
        last_executed_at=None,
        start_of_day_minor=budget,
        latest_data_at=NOW,
        onboarded_at=NOW - timedelta(days=90),
        rule_category="scaling",
        rule_holds=True,
    )


def test_nothing_speaks_against_a_change_within_all_limits() -> None:
    assert first_refusal(_facts(), LIMITS) is None


@pytest.mark.parametrize(
    ("changes", "guard", "becomes"),
    [
        ({"acting_allowed": False}, "kill switch", Becomes.WAIT),
        ({"latest_data_at": None}, "data fresh", Becomes.WAIT),
        ({"latest_data_at": NOW - timedelta(hours=3)}, "data fresh", Becomes.WAIT),
        ({"rule_holds": False}, "rule holds", Becomes.STALE),
        ({"parent": None}, "campaign budget", Becomes.WAIT),
        ({"last_executed_at": NOW - timedelta(hours=3)}, "cooldown", Becomes.WAIT),
        ({"others_in_last_hour": (NOW,) * 10}, "hourly cap", Becomes.WAIT),
        ({"budget_changes_in_last_hour": (NOW,) * 3}, "budget changes an hour", Becomes.WAIT),
        ({"start_of_day_minor": 12_000}, "largest daily change", Becomes.STALE),
        ({"start_of_day_minor": None}, "largest daily change", Becomes.STALE),
    ],
)
def test_each_fact_out_of_bounds_is_refused_by_its_guard(
    changes: dict[str, object], guard: str, becomes: Becomes
) -> None:
    refusal = first_refusal(replace(_facts(), **changes), LIMITS)  # type: ignore[arg-type]
    assert refusal is not None
    assert (refusal.guard, refusal.becomes) == (guard, becomes)
    assert refusal.reason.endswith(".")


def test_what_asks_nobody_needs_a_cell_that_still_lets_it() -> None:
    alone = replace(
        _facts().change, requires_approval=False, is_approved=False, confidence=0.99, cell_id=1
    )
    facts, on = replace(_facts(), change=alone, cell_holds=True), replace(LIMITS, acts_alone=True)
    assert first_refusal(facts, on) is None
    for refusal in (
        first_refusal(replace(facts, cell_holds=False), on),
        first_refusal(facts, replace(on, acts_alone=False)),
    ):
        assert refusal is not None
        assert (refusal.guard, refusal.becomes) == ("earned autonomy", Becomes.ASK)


@pytest.mark.parametrize(
    ("percent", "guard"), [(31, "largest single change"), (-31, "largest single change")]
)
def test_a_change_just_over_the_largest_is_refused(percent: int, guard: str) -> None:
    refusal = first_refusal(_facts(percent), LIMITS)
    assert refusal is not None
    assert refusal.guard == guard


@given(
    st.sampled_from(["USD", "JPY", "BHD", "HUF"]),
    st.integers(-30, 30).filter(bool),
    st.integers(1, 10**7),
)
def test_a_budget_under_the_floor_never_passes(currency: str, percent: int, budget: int) -> None:
    from intel_ml.operations.values import budget_floor  # noqa: PLC0415  # beside its only use

    facts = _facts(percent, budget=budget, currency=currency)
    refusal = first_refusal(facts, LIMITS)
    if (facts.change.after.daily_budget_minor or 0) < budget_floor(currency).minor:
        assert refusal is not None


def test_a_guard_that_errs_denies() -> None:
    broken = replace(_facts(), latest_data_at="not a moment")  # type: ignore[arg-type]
    refusal = first_refusal(broken, LIMITS)
    assert refusal is not None
    assert refusal.becomes is Becomes.WAIT
    assert "could not be made" in refusal.reason


def test_an_undo_is_spared_what_protects_from_haste_but_not_the_switch() -> None:
    undone = replace(_facts(), last_executed_at=NOW, change=replace(_facts().change, is_undo=True))
    assert first_refusal(undone, LIMITS) is None
    assert first_refusal(replace(undone, acting_allowed=False), LIMITS) is not None
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
