from __future__ import annotations

from datetime import timedelta

import pandas as pd

from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.evaluation.comparison import Settings
from intel_ml.learning.evaluation.e_process import Bounds
from intel_ml.learning.evaluation.watch import watch
from tests.intelligence.policy import worlds

GOOD = make_policy("ridge", alpha=0.1).fit(worlds.log(1000))
CHANCE = make_policy("uniform")
WIDE = Settings(bounds=Bounds(-100.0, 100.0))


def _log(rows: int, *, world: int = 5) -> pd.DataFrame:
    """Return decisions an hour apart, the last one now."""
    log = worlds.log(rows, seed=world)
    ago = [worlds.NOW - timedelta(hours=rows - 1 - row) for row in range(rows)]
    return log.assign(as_of=pd.to_datetime(ago, utc=True))


def test_a_champion_that_became_worse_must_go_and_a_good_one_stays() -> None:
    start = worlds.NOW - timedelta(hours=1000)
    bad = watch(CHANCE, GOOD, _log(600), since=start, settings=WIDE)
    assert bad.must_go
    assert "reverse e-value" in bad.why
    good = watch(GOOD, CHANCE, _log(600), since=start, settings=WIDE)
    assert not good.must_go
    assert good.decisions == 600


def test_a_champion_like_its_rival_stays() -> None:
    assert not watch(GOOD, GOOD, _log(300), since=worlds.NOW - timedelta(days=90)).must_go


def test_what_was_before_its_promotion_does_not_count() -> None:
    log = _log(400)
    recent = watch(CHANCE, GOOD, log, since=worlds.NOW - timedelta(hours=9), settings=WIDE)
    assert (recent.decisions, recent.must_go, recent.report) == (10, False, None)
    half = watch(CHANCE, GOOD, log, since=worlds.NOW - timedelta(hours=99), settings=WIDE)
    other = log.copy()
    other.loc[: len(log) - 101, "reward"] *= -1
    again = watch(CHANCE, GOOD, other, since=worlds.NOW - timedelta(hours=99), settings=WIDE)
    assert half.report is not None
    assert again.report is not None
    assert half.report.numbers == again.report.numbers


def test_a_champion_that_proved_itself_and_then_turned_bad_must_go_all_the_same() -> None:
    log, start = _log(1200), worlds.NOW - timedelta(hours=3000)
    first = log.head(500)
    proved = watch(GOOD, CHANCE, first, since=start, settings=WIDE)
    assert proved.report is not None
    assert proved.report.evidence.has_crossed
    turned = log.assign(reward=log["reward"].where(log.index < 500, -log["reward"]))
    found = watch(GOOD, CHANCE, turned, since=start, settings=WIDE)
    assert found.report is not None
    assert found.report.evidence.has_crossed
    assert found.must_go
    assert "reverse e-value" in found.why
