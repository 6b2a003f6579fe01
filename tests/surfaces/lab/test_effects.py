"""What the actions did, against what was left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import MissingColumnsError
from intel_ml.surfaces.lab.effects import EVERYTHING, FEWEST, Effects, effects

NAMES = {("act_1", 7): "Stop <Loss>", ("act_1", 8): "Scale"}


def _log(units: int = 400, *, effect: float = 0.0, recovery: float = 0.5) -> pd.DataFrame:
    """Units at their worst, which recover; some are left alone, some proposals refused."""
    draw = np.random.default_rng(11)
    standing = draw.normal(-0.5, 0.3, units)
    held = draw.random(units) < 0.3
    # People approve what stands worst, which is also what recovers most.
    done = ~held & (standing < np.quantile(standing, 0.6))
    earned = recovery - standing + effect * done + draw.normal(0, 0.2, units)
    spend, target = 100.0, 10.0
    return pd.DataFrame(
        {
            "ad_account_id": "act_1",
            "entity_id": [str(i) for i in range(units)],
            "rule_id": np.where(np.arange(units) % 2, 7.0, 8.0),
            "is_held_out": held,
            "proposed": np.where(
                held, "maintain", np.where(np.arange(units) % 2, "pause", "scale_20")
            ),
            "executed": np.where(done, "pause", "maintain"),
            "reward_earned": earned,
            "state_spend": spend,
            "state_conversions": (standing * spend + spend) / target,
            "state_target_cpa": target,
        }
    )


def _whole(found: Effects) -> pd.Series:
    return found.rows.loc[EVERYTHING]


def test_recovery_is_no_effect_though_a_report_would_claim_it() -> None:
    found = effects(_log(), rules=NAMES)
    whole = _whole(found)
    assert whole["low"] < 0 < whole["high"]
    assert whole["claimed_low"] > 0.5
    assert "cannot be told from nothing" in found.says


@pytest.mark.parametrize("true", [0.3, -0.4])
def test_an_effect_of_what_was_carried_out_is_found_though_people_chose_it(true: float) -> None:
    found = effects(_log(effect=true), rules=NAMES)
    whole = _whole(found)
    assert whole["low"] < true < whole["high"]
    assert whole["low"] > 0 if true > 0 else whole["high"] < 0
    assert ("helped" if true > 0 else "did harm") in found.says


def test_a_unit_decided_about_often_counts_once() -> None:
    once = _log(effect=0.3)
    often = effects(pd.concat([once] * 5, ignore_index=True), rules=NAMES)
    first = effects(once, rules=NAMES)
    for name in ("value", "low", "high", "claimed_low"):
        assert _whole(often)[name] == pytest.approx(_whole(first)[name])


def test_every_rule_is_there_by_its_name_and_kinds_hold_all_of_theirs() -> None:
    found = effects(_log(), rules=NAMES)
    kinds = ["proposals: pause", "proposals: budget +20%"]
    assert list(found.rows.index) == [EVERYTHING, *kinds, "rule “Scale”", "rule “Stop <Loss>”"]
    assert found.rows.loc[kinds, "proposals"].sum() == _whole(found)["proposals"]


def test_too_few_left_alone_is_said_and_drawn_as_such() -> None:
    log = _log(40)
    few = log[~log["is_held_out"] | (log["is_held_out"].cumsum() < FEWEST)]
    for found in (effects(few, rules={}), effects(log.head(0), rules={})):
        assert found.known.empty
        assert "Too early to tell" in found.says
        [axes] = found.figure().axes
        assert any("Too early" in text.get_text() for text in axes.texts)


def test_the_picture_holds_both_numbers_of_every_known_group() -> None:
    found = effects(_log(), rules=NAMES)
    [axes] = found.figure().axes
    assert len(axes.get_yticks()) == len(found.known) == 5
    assert len(axes.containers) == 2
    assert axes.get_xlabel()


def test_what_chance_drew_belongs_to_no_rule() -> None:
    log = _log()
    drawn = log.assign(rule_id=np.nan, reward_earned=100.0)
    assert _whole(effects(pd.concat([log, drawn]), rules=NAMES)).equals(
        _whole(effects(log, rules=NAMES))
    )


def test_a_log_that_is_no_log_says_what_it_lacks() -> None:
    with pytest.raises(MissingColumnsError, match="rule_id"):
        effects(_log().drop(columns="rule_id"), rules={})
