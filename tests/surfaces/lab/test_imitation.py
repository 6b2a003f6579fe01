"""Learning what people would do, and saying how often that is right."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.learning.gates import Outcome, judge, read_model
from intel_ml.surfaces.lab.imitation import imitated

MODEL = read_model(Path(__file__).parents[3] / "models" / "campaign-imitation")
FEATURES = ("cpa_ratio", "roas")
SMALL = MODEL.model_copy(
    update={"training": MODEL.training.model_copy(update={"features": FEATURES})}
)


def _said(rows: int, *, whim: float) -> pd.DataFrame:
    """Rules that ask for a change where CPA says so; people who reject it where ROAS is good."""
    random = np.random.default_rng(5)
    cpa, roas = np.exp(random.normal(0.3, 0.6, rows)), np.exp(random.normal(0.5, 0.6, rows))
    proposed = np.where(cpa > 2, "pause", np.where(cpa > 1, "reduce_20", "scale_20"))
    says_yes = ((roas < 1.6) == (cpa > 1)) ^ (random.random(rows) < whim)
    return pd.DataFrame(
        {
            "as_of": pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC"),
            "ad_account_id": "act_1",
            "entity_type": "adset",
            "entity_id": [str(number % 40) for number in range(rows)],
            "state_cpa_ratio": cpa,
            "state_roas": roas,
            "proposed": proposed,
            "verdict": np.where(says_yes, "approved", "rejected"),
            "executed": np.where(says_yes, proposed, "maintain"),
            "archetype": np.where(cpa > 2, "Dear", None),
            "reward": random.normal(size=rows),
        }
    )


def test_steady_people_are_foreseen_better_than_by_repeating_the_proposal() -> None:
    found = imitated(_said(400, whim=0.05), SMALL, newest=0.3, names={("act_1", "7"): "Seven"})
    assert found.found.rate is not None
    assert found.found.rate > found.as_proposed
    assert found.found.low <= found.found.rate <= found.found.high
    assert set(found.found.by_archetype) == {"Dear"}
    assert abs(found.sure.mean() - found.right.mean()) < 0.1, "as sure as it is right"
    assert len(found.cases) <= 10
    assert (found.cases["people"] != found.cases["imitation"]).all()
    assert found.cases["sure"].is_monotonic_decreasing
    verdict = judge(SMALL.gates.shadow, found.evidence.numbers, name="shadow")
    assert verdict.outcome is Outcome.PASSED, str(verdict)
    for figure in (found.by_action(), found.by_archetype(), found.calibration()):
        assert all(axes.get_xlabel() for axes in figure.axes)
    assert "would have done what people did with" in found._repr_html_()


def test_what_is_foreseen_did_not_teach() -> None:
    log = _said(140, whim=0.0)
    new = log["as_of"] > log["as_of"].quantile(0.7)
    turned = log["verdict"].map({"approved": "rejected", "rejected": "approved"})
    told = log["verdict"].where(~new, turned)
    done = np.where(told == "approved", log["proposed"], "maintain")
    same = imitated(log, SMALL, newest=0.3)
    other = imitated(log.assign(verdict=told, executed=done), SMALL, newest=0.3)
    assert np.array_equal(same.sure, other.sure)


def test_moody_people_pass_no_gate() -> None:
    found = imitated(_said(300, whim=0.5), SMALL, newest=0.3)
    verdict = judge(SMALL.gates.shadow, found.evidence.numbers, name="shadow")
    assert verdict.outcome is Outcome.REFUSED
    assert "share of unseen proposals" in str(verdict)


def test_too_few_verdicts_are_said_to_be_too_few() -> None:
    with pytest.raises(NotEnoughDataError, match="judged"):
        imitated(_said(15, whim=0.0), SMALL, newest=0.3)


def test_it_knows_no_reward() -> None:
    log = _said(140, whim=0.1)
    poorer = log.assign(reward=-log["reward"])
    one, other = (imitated(frame, SMALL, newest=0.3) for frame in (log, poorer))
    assert np.array_equal(one.sure, other.sure)
    assert not hasattr(one.policy, "values")
    assert "reward" not in {field.name for field in dataclasses.fields(one)}
