"""Windows of spending: counted once, in targets, and only where something was seen."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from intel_ml.features.states import Value
from intel_ml.intelligence.policy import windows
from tests.intelligence.policy import worlds

WEEK: dict[str, Value] = {
    "spend": 60.0,
    "conversions": 3.0,
    "spend_7d": 140.0,
    "conversions_7d": 9.0,
    "target_cpa": 20.0,
    "daily_budget": 20.0,
    "hour_of_day": 12.0,
}


def log(days: int, *, unit: str = "0") -> pd.DataFrame:
    """Return the same week, seen every day."""
    return pd.DataFrame(
        [
            {
                "ad_account_id": "act_1",
                "entity_id": unit,
                "as_of": worlds.NOW - timedelta(days=days - day),
                **{f"state_{name}": value for name, value in WEEK.items()},
            }
            for day in range(days)
        ]
    )


def test_money_is_counted_in_targets_and_days_only_once() -> None:
    seen = windows.seen_in_states(worlds.states([WEEK]))
    assert (seen.fresh_spend[0], seen.fresh_results[0]) == (3.0, 3.0)
    assert (seen.older_spend[0], seen.older_results[0]) == (4.0, 6.0)  # 140 - 60, 9 - 3
    assert seen.fresh_pace[0] == pytest.approx(3.0 / 2.5)  # two days and a half of a third
    assert seen.pace[0] == 1.0  # its budget


@pytest.mark.parametrize("missing", ["spend", "conversions", "target_cpa"])
def test_the_unknown_is_no_exposure(missing: str) -> None:
    seen = windows.seen_in_states(worlds.states([WEEK | {missing: None}]))
    for column in (seen.fresh_spend, seen.fresh_results, seen.older_spend, seen.fresh_pace):
        assert column[0] == 0.0


def test_remembered_windows_do_not_overlap_each_other_or_the_week_of_the_state() -> None:
    memory = windows.remembered(windows.seen_in_log(log(20)))
    assert len(memory.ended) == 5  # 20 days of looks, four days a window
    assert (np.diff(memory.ended) >= windows.WINDOW_DAYS).all()
    now = windows.seen_in_states(worlds.states([WEEK]))
    rows, at = windows.recalled(now, memory)
    assert set(rows) == {0}
    assert (now.when[0] - memory.ended[at] >= 6.5).all()
    assert 0 < len(at) < len(memory.ended)


def test_what_is_learned_later_joins_without_counting_twice() -> None:
    first, again, more = log(12), log(8), log(12, unit="1")
    both = windows.joined(*(windows.remembered(windows.seen_in_log(one)) for one in (first, again)))
    assert both.spend.sum() == windows.remembered(windows.seen_in_log(first)).spend.sum()
    two = windows.joined(both, windows.remembered(windows.seen_in_log(more)))
    assert two.units == ("act_1|0", "act_1|1")
    assert two.spend.sum() == 2 * both.spend.sum()
