"""What a policy would have done beside what was done."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence.policy import make_policy
from intel_ml.surfaces.lab.beside import Beside, beside
from tests.intelligence.policy import worlds

GOOD = make_policy("ridge", alpha=0.1).fit(worlds.log(1000))


def _log(rows: int = 200) -> pd.DataFrame:
    """Decisions of people who refuse every pause, and say so."""
    log = worlds.judged(rows, seed=3)
    refused = (log["proposed"] == "pause").to_numpy()
    log.loc[refused, ["executed", "verdict"]] = ["maintain", "rejected"]
    return log.assign(verdict_reason=np.where(refused, "We <never> pause.", None))


def _beside(**changes: object) -> Beside:
    return beside(GOOD, _log().assign(**changes), names={("act_1", "3"): "Summer Sale"})


def test_every_measured_decision_is_there_once_with_both_choices() -> None:
    found = _beside()
    assert len(found.rows) == 200
    assert (found.rows["same"] == (found.rows["done"] == found.rows["would"])).all()
    assert found.pmf.sum(axis=1) == pytest.approx(1)
    assert set(found.rows["name"]) >= {"Summer Sale", "adset 4"}


def test_a_case_tells_who_did_what_and_why_the_policy_would_not() -> None:
    told = _beside().differ(10)
    assert 0 < len(told) <= 10
    assert len({case.split(",")[0] for case in told}) == len(told), "an ad set is told of once"
    assert all(" ridge would " in case and " sure: " in case for case in told)


def test_what_people_said_is_told_in_their_words() -> None:
    told = _beside(executed="maintain", proposed="pause", verdict="rejected").differ(200)
    assert told
    assert all("people were asked to pause it and refused" in case for case in told)
    assert any("(“We <never> pause.”)" in case for case in told)


def test_what_nobody_judged_is_no_difference_with_people() -> None:
    found = _beside(verdict=None)
    assert found.judged.empty
    assert found.differ(10) == []
    assert "0 decisions" in found.grid().axes[0].get_title(loc="left")


def test_the_grid_counts_every_judged_decision_once() -> None:
    found = _beside()
    [axes] = found.grid().axes
    assert sum(int(text.get_text()) for text in axes.texts) == len(found.judged)
    assert axes.get_xlabel()
    assert axes.get_ylabel()


def test_the_shares_of_both_sides_are_of_everything() -> None:
    [axes] = _beside().shares().axes
    done, would = axes.containers
    assert sum(bar.get_width() for bar in done) == pytest.approx(1)
    assert sum(bar.get_width() for bar in would) == pytest.approx(1)


def test_a_log_without_an_outcome_shows_nothing() -> None:
    with pytest.raises(NotEnoughDataError, match="measured decisions"):
        _beside(reward=np.nan)
