from __future__ import annotations

import numpy as np
import pytest

from intel_ml.core.errors import MissingColumnsError, NotEnoughDataError, UnknownNameError
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.evaluation.comparison import Settings, compare
from intel_ml.learning.evaluation.e_process import Bounds
from intel_ml.learning.evaluation.pictures import PANELS
from intel_ml.learning.evaluation.replay import replay
from intel_ml.learning.evaluation.results import Conclusion
from intel_ml.learning.evaluation.reward_model import cross_fitted, folds_of
from tests.intelligence.policy import worlds

GOOD = make_policy("ridge", alpha=0.1).fit(worlds.log(1000))
CHANCE = make_policy("uniform")
UNSEEN = worlds.log(600, seed=5)
#: These made-up rewards are on the plan's own scale.
WIDE = Settings(bounds=Bounds(-100.0, 100.0))


def test_the_better_policy_is_worth_more_and_the_interval_says_so() -> None:
    report = compare(GOOD, CHANCE, UNSEEN, settings=WIDE)
    assert report.difference.low > 0
    assert report.candidate.main.low > report.champion.main.high  # type: ignore[union-attr]
    assert report.conclusion is Conclusion.BETTER
    assert report.evidence.crossed_at is not None


def test_a_champion_worse_than_its_alternative_is_found_out() -> None:
    report = compare(CHANCE, GOOD, UNSEEN, settings=WIDE)
    assert report.conclusion is Conclusion.WORSE
    assert not report.evidence.has_crossed
    assert report.numbers["reverse_e_value"] >= 20  # type: ignore[operator]


def test_what_people_may_have_known_widens_what_can_be_said() -> None:
    found = compare(GOOD, CHANCE, UNSEEN, settings=WIDE)
    doubt = found.sensitivity
    assert doubt.low[0] == pytest.approx(found.difference.low)
    assert doubt.high[0] == pytest.approx(found.difference.high)
    assert list(doubt.low) == sorted(doubt.low, reverse=True)
    assert list(doubt.high) == sorted(doubt.high)
    random = compare(GOOD, CHANCE, UNSEEN.assign(is_held_out=True), settings=WIDE)
    assert random.sensitivity.low[-1] == pytest.approx(random.difference.low)
    assert random.sensitivity.falls_at is None


def test_the_value_is_what_the_policy_would_earn() -> None:
    report = compare(GOOD, None, UNSEEN)
    pmf = replay(GOOD, UNSEEN).logged.pmf_new
    ratios = UNSEEN["state_cpa_ratio"]
    true = np.mean(
        [
            sum(p * worlds.value_of(x, arm) for p, arm in zip(row, worlds.ARMS, strict=True))
            for row, x in zip(pmf, ratios, strict=True)
        ]
    )
    assert report.candidate.main.low <= true <= report.candidate.main.high


def test_a_policy_against_itself_is_not_better() -> None:
    report = compare(GOOD, GOOD, UNSEEN)
    assert report.difference.value == pytest.approx(0)
    assert report.conclusion is Conclusion.INCONCLUSIVE


def test_a_log_that_never_tried_is_refused_with_what_is_missing() -> None:
    log = UNSEEN.assign(executed="maintain", p_executed=1.0)
    for arm in worlds.ARMS:
        log[f"pmf_{arm}"] = float(arm == "maintain")
    report = compare(GOOD, None, log)
    assert report.conclusion is Conclusion.REFUSED
    assert "never tried" in report.why
    assert report.numbers["support_share"] is not None
    assert report.numbers["support_share"] < 0.5


def test_it_shows_tables_a_page_and_a_picture() -> None:
    log = UNSEEN.assign(archetype="<img src=x onerror=alert(1)>")
    report = compare(GOOD, CHANCE, log)
    assert set(report.table()["estimator"]) >= {
        "IPS",
        "SNIPS",
        "DR",
        "DR-os",
        "SNDR",
        "Switch-DR",
        "DM",
    }
    assert len(report.archetypes()) == 1
    page = report._repr_html_()
    assert "<img src=x" not in page
    assert "data:image/png" in page
    assert len(report.figure().axes) == 4
    assert set(report.actions()["done"]) == {str(arm).replace("_", " ") for arm in worlds.ARMS}


@pytest.mark.parametrize("name", PANELS)
def test_each_panel_is_a_picture_of_its_own_with_labelled_axes(name: str) -> None:
    for champion in (CHANCE, None):
        [axes] = compare(GOOD, champion, UNSEEN).figure(name).axes
        assert axes.get_xlabel()
        assert axes.get_title(loc="left")


def test_a_picture_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="evidence"):
        compare(GOOD, None, UNSEEN).figure("evidnce")


def test_what_is_needed_is_shown_beside_what_was_seen_and_refuses_with_the_conclusion() -> None:
    enough = compare(GOOD, CHANCE, UNSEEN).support()
    assert set(enough["policy"]) == {"ridge", "uniform"}
    assert set(enough["enough"]) == {"yes"}
    never = UNSEEN.assign(executed="maintain", p_executed=1.0)
    refused = compare(GOOD, None, never)
    assert refused.conclusion is Conclusion.REFUSED
    assert "no" in set(refused.support()["enough"])
    assert refused.headline.startswith("The log cannot tell: ridge: ")


def test_the_table_of_doubts_says_at_which_odds_there_may_be_nothing() -> None:
    report = compare(GOOD, CHANCE, UNSEEN, settings=WIDE)
    doubts, falls_at = report.doubts(), report.sensitivity.falls_at
    certain = doubts["could be nothing"] == "no"
    assert certain.tolist() == [falls_at is None or g < falls_at for g in report.sensitivity.gammas]
    assert list(report.says) == ["gain", "evidence", "support", "agreement", "doubt"]


def test_gates_find_their_numbers() -> None:
    numbers = compare(GOOD, CHANCE, UNSEEN).numbers
    assert {"samples", "support_share", "effective_samples", "e_value"} <= set(numbers)
    assert numbers["samples"] == 600


def test_agreement_counts_what_people_judged() -> None:
    judged = worlds.judged(600, seed=5)
    imitation = make_policy("imitation").fit(worlds.judged(1000))
    report = compare(imitation, None, judged)
    assert report.candidate.agreement.n == 600
    assert set(report.candidate.agreement.by_archetype) == {"High CPA", "Others"}
    silent = compare(GOOD, None, UNSEEN.assign(verdict=None))
    assert silent.candidate.agreement.rate is None
    assert "nobody has judged" in silent._repr_html_()


def test_too_few_measured_decisions_are_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        compare(GOOD, None, UNSEEN.head(10))
    with pytest.raises(NotEnoughDataError):
        compare(GOOD, None, UNSEEN.assign(reward=np.nan))
    with pytest.raises(MissingColumnsError):
        compare(GOOD, None, UNSEEN.drop(columns="p_executed"))


def test_an_entity_is_never_predicted_by_itself() -> None:
    log = worlds.log(400)
    before = cross_fitted(log)
    poisoned = log.copy()
    mine = poisoned["entity_id"] == "3"
    poisoned.loc[mine, "reward"] = 1e6
    after = cross_fitted(poisoned)
    assert (before[mine.to_numpy()] == after[mine.to_numpy()]).all()
    assert len(set(folds_of(log)[mine.to_numpy()])) == 1


def test_what_lies_beyond_the_bounds_may_turn_a_conclusion_and_then_there_is_none() -> None:
    calm = UNSEEN.assign(reward=UNSEEN["reward"] / 50)
    liked = replay(GOOD, calm).choices.greedy
    is_liked = calm["executed"].to_numpy() == np.array([worlds.ARMS[arm] for arm in liked])
    losses = calm.assign(reward=calm["reward"].where(~(is_liked & (np.arange(600) % 30 == 0)), -80))
    assert compare(GOOD, CHANCE, calm).conclusion is Conclusion.BETTER
    found = compare(GOOD, CHANCE, losses)
    assert found.evidence.has_crossed
    assert found.conclusion is Conclusion.REFUSED
    assert "beyond the bounds" in found.why
    assert found.numbers["e_value"] is None
    assert found.numbers["samples"] == 600


def test_only_decisions_are_compared_that_both_may_be_asked_about() -> None:
    log = UNSEEN.assign(entity_type=["campaign", "adset"] * 300)
    of_adsets = make_policy("response").fit(log)
    report = compare(of_adsets, CHANCE, log, settings=WIDE)
    adsets = log[log["entity_type"] == "adset"]
    assert report.n == len(adsets)
    assert report.numbers == compare(of_adsets, CHANCE, adsets, settings=WIDE).numbers
    of_campaigns = make_policy("ridge", features=["cpa_ratio"]).fit(log[::2])
    with pytest.raises(NotEnoughDataError, match="saw 0"):
        compare(of_adsets, of_campaigns, log)
