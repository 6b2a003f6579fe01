"""The notebooks' door: a study in ten lines, frames that explain themselves, refusals that help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from intel_ml.core.errors import (
    InvalidValueError,
    NotEnoughDataError,
    NotFoundError,
    UnavailableError,
    UnknownNameError,
)
from intel_ml.data.store.sessions import Store
from intel_ml.intelligence import clusters
from intel_ml.intelligence.policy import ridge
from intel_ml.learning.promotion import evidence
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.lab import Lab, connect, models, pictures
from intel_ml.surfaces.settings import Settings
from tests import history
from tests.tracking import free_port

PROJECT = Path(__file__).parents[2]


def _lab(store: Store, url: str) -> Lab:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    return Lab(settings=settings, store=store, registry=Registry(url))


@pytest.fixture
def lab(store: Store, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab without a registry: reading needs none."""
    monkeypatch.chdir(PROJECT)
    history.write_history(store)
    return _lab(store, f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def learned(lab: Lab) -> Lab:
    for one in history.ACCOUNTS:
        history.write_decisions(lab.store, one)
        history.learn_from(lab.store, one)
    return lab


@pytest.mark.server
def test_the_ten_lines_of_a_study_work(learned: Lab, registry: Registry) -> None:
    lab = _lab(learned.store, registry.tracking_url)
    log = lab.decisions(account="act_101", days=30)
    mine = ridge.Policy(alpha=0.1, features=["cpa_ratio", "roas", "frequency", "ctr_trend_7d"])
    mine = mine.fit(log)
    report = lab.compare(mine, against="campaign-policy@champion", log=log)
    assert "<table" in report._repr_html_()
    done = lab.register(mine, name="campaign-policy", alias="challenger", report=report)
    assert done.alias == "challenger"
    assert lab.policy("campaign-policy@challenger").features == mine.features
    assert lab.policy(f"campaign-policy/{done.version}").features == mine.features
    [found] = [v for v in registry.versions("campaign-policy") if v.version == done.version]
    assert found.tags["data_range"].count(" to ") == 1
    assert found.tags["metric.samples"] == f"{report.n}"
    with pytest.raises(NotFoundError, match="campaign-policy/99999"):
        lab.policy("campaign-policy/99999")


@pytest.mark.server
def test_archetypes_are_registered_and_given_back_for_every_entity(
    lab: Lab, registry: Registry
) -> None:
    lab = _lab(lab.store, registry.tracking_url)
    signatures = lab.signatures()
    with pytest.raises(NotFoundError, match="20_train_archetypes"):
        lab.archetypes()
    found = clusters.fit(signatures, k=3, seed=0)
    done = lab.register_archetypes(found, signatures=signatures)
    assert done.verdict is not None
    assert len(lab.archetypes()) == len(signatures)


@pytest.mark.server
def test_archetypes_of_one_account_among_several_leave_the_platforms_in_use(
    lab: Lab, registry: Registry
) -> None:
    lab = _lab(lab.store, registry.tracking_url)
    everyone, alone = lab.signatures(), lab.signatures("act_101")
    used = lab.register_archetypes(clusters.fit(everyone, k=3), signatures=everyone)
    kept = lab.register_archetypes(clusters.fit(alone, k=2), signatures=alone)
    assert kept.alias is None
    assert "made from act_101 alone" in str(kept)
    for alias in ("shadow", "champion"):
        found = registry.find("campaign-archetypes", alias)
        assert found is None or found.version == used.version
    assert {v.version for v in registry.versions("campaign-archetypes")} >= {kept.version}


def test_an_account_from_a_file_is_learned_from_by_its_name_only(lab: Lab) -> None:
    from_file = replace(history.account(301), source="file")
    history.write_history(lab.store, [from_file])
    assert set(lab.signatures()["ad_account_id"]) == {"act_101", "act_102"}
    assert set(lab.signatures("act_301")["ad_account_id"]) == {"act_301"}
    assert "act_301" in set(lab.states()["ad_account_id"])


@pytest.mark.server
def test_one_accounts_candidate_waits_apart_and_serves_nobody(
    learned: Lab, registry: Registry
) -> None:
    lab = _lab(learned.store, registry.tracking_url)
    log = lab.decisions("act_101")
    mine = ridge.Policy(features=["cpa_ratio", "roas"]).fit(log)
    lab.keep_candidate(mine, name="campaign-policy", log=log, account="act_101")
    found = lab.candidate("campaign-policy", account="act_101")
    report = lab.compare(found.policy, against="campaign-policy@champion", log=log)
    before = registry.find("campaign-policy", "shadow")
    done = lab.register(
        found.policy, name="campaign-policy", alias="shadow", report=report, trained=found
    )
    after = registry.find("campaign-policy", "shadow")
    assert (done.alias, done.verdict is None) == (None, False)
    assert (before and before.version) == (after and after.version)
    with pytest.raises(NotFoundError, match="of act_102 has been trained"):
        lab.candidate("campaign-policy", account="act_102")


def test_a_choice_is_explained_with_the_most_alike_past_cases(learned: Lab) -> None:
    log = learned.decisions()
    mine = ridge.Policy(features=["cpa_ratio", "roas", "frequency", "ctr_trend_7d"]).fit(log)
    adsets = learned.states("act_101").query("entity_type == 'adset'")["entity_id"]
    told = [learned.explain(mine, entity, account="act_101", arm="maintain") for entity in adsets]
    assert all(one.says[1] in one._repr_html_() for one in told)
    assert any(len(one.cases) for one in told)
    with pytest.raises(NotFoundError, match="no entity 'adset_x'"):
        learned.explain(mine, "adset_x")


@pytest.mark.server
def test_a_model_is_chosen_among_its_candidates_and_shows_why_for_good(
    learned: Lab, registry: Registry
) -> None:
    lab = _lab(learned.store, registry.tracking_url)
    log = lab.decisions()
    choice = lab.choose_policy("campaign-policy", log)
    described = lab.model("campaign-policy").training.considered
    assert [one.name for one in choice.selection.candidates] == [one.name for one in described]
    assert all(one.could_learn for one in choice.selection.candidates), choice
    lab.keep_candidate(choice.policy, name="campaign-policy", log=choice.learned_from)
    found = lab.candidate("campaign-policy")
    assert found.told == choice.selection.sentences
    assert found.trained_until < choice.unseen["as_of"].min()
    report = lab.compare(found.policy, against="campaign-policy@champion", log=choice.unseen)
    done = lab.register(
        found.policy, name="campaign-policy", alias="shadow", report=report, trained=found
    )
    shown = evidence(registry, lab.store, name="campaign-policy", version=done.version)
    assert choice.why in shown.text
    assert shown.version.tags["candidate"] == choice.name
    assert shown.version.tags["algorithm"] == found.policy.name
    for one in described:
        assert f"  {one.name}: " in shown.text
    metrics = registry._client.get_run(lab.run.id).data.metrics
    assert metrics[f"candidate.{choice.name}.chosen"] == 1.0
    assert metrics["compared_on"] == choice.selection.decisions


@pytest.mark.server
def test_policies_of_ones_own_are_chosen_among_in_a_few_lines(
    learned: Lab, registry: Registry
) -> None:
    lab = _lab(learned.store, registry.tracking_url)
    mine = ridge.Policy(features=["cpa_ratio", "roas"])
    bent = lab.new_policy("campaign-policy", candidate="ridge-bent")
    choice = lab.choose_policy({"mine": mine, "bent": bent}, lab.decisions("act_101"))
    assert choice.name in {"mine", "bent"}
    assert "<img" in choice._repr_html_()
    assert mine.counts == ridge.Policy().counts, "what was handed in stays unlearned"
    report = lab.compare(choice.policy, against="campaign-policy@champion", log=choice.unseen)
    done = lab.register(choice.policy, name="campaign-policy", alias="challenger", report=report)
    shown = evidence(registry, lab.store, name="campaign-policy", version=done.version)
    assert choice.why in shown.text
    alone = lab.decisions("act_101")
    lab.keep_candidate(choice.policy, name="campaign-policy", log=alone, account="act_101")
    assert lab.candidate("campaign-policy", account="act_101").told[0] == choice.why


def test_a_log_too_short_to_choose_by_is_counted(learned: Lab) -> None:
    log = learned.decisions()
    for short in (log.head(0), log[log["reward"].notna()].head(9)):
        with pytest.raises(NotEnoughDataError, match=f"need 10, saw {len(short)}"):
            learned.choose_policy("campaign-policy", short)
    with pytest.raises(UnknownNameError, match="campaign-policy"):
        learned.choose_policy("campaign-polcy", log)


def test_a_world_comes_with_its_oracle(lab: Lab) -> None:
    world = lab.world("fatigue")
    adset = str(world.adsets().index[0])
    truth = world.oracle(adset, hours=24)
    assert set(truth.loc["maintain"]) == {0}, "leaving alone changes nothing"
    assert truth.loc["pause", "spend"] < 0 < truth.loc["scale_20", "spend"]
    assert world.oracle(adset, hours=24).equals(truth), "asking changes nothing"
    with pytest.raises(UnknownNameError, match="Did you mean 'fatigue'"):
        lab.world("fatige")


def test_a_table_shows_words_in_full_and_says_unknown() -> None:
    long = "very high concentration on few hours, " * 4
    shown = pictures.table(pd.DataFrame({"a": [0.123456, None], "b": [long, None]}))
    page = shown._repr_html_()
    assert long.strip(", ") in page
    assert "0.123<" in page
    assert page.count("unknown") == 2
    assert "nan" not in str(shown).lower()


def test_what_cannot_be_asked_is_said_in_one_sentence(lab: Lab) -> None:
    with pytest.raises(InvalidValueError, match="has no time zone"):
        lab.states(as_of="2026-11-10")
    with pytest.raises(InvalidValueError, match="is after now"):
        lab.states(as_of="2126-11-10T00:00Z")
    with pytest.raises(InvalidValueError, match="not a number of days"):
        lab.decisions(days=-3)
    with pytest.raises(InvalidValueError, match="is not after since"):
        lab.history(since="2026-11-20", until="2026-11-10")
    with pytest.raises(UnknownNameError, match="Did you mean 'champion'"):
        lab.policy("campaign-policy@chamption")
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        lab.split(lab.decisions(), newest=2)
    with pytest.raises(InvalidValueError, match="is no evidence"):
        lab.register(ridge.Policy(), name="campaign-policy", report=None)  # type: ignore[arg-type]  # wrong on purpose


def test_frames_come_with_the_meaning_of_each_column(learned: Lab) -> None:
    for frame in (learned.states(), learned.signatures(), learned.decisions(), learned.outcomes()):
        dictionary = frame.attrs["dictionary"]
        assert set(dictionary) <= set(frame.columns)
        unexplained = set(frame.columns) - set(dictionary)
        assert not {c for c in unexplained if not c.endswith(("_before", "_after", "_at"))}
    assert "72 h" in learned.decisions().attrs["dictionary"]["reward_before_after"]


# Ibis 12 reads options and converts moments in ways that pandas 3.1 announces to change.
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_history_is_a_table_that_any_expression_works_on(lab: Lab) -> None:
    table = lab.history("act_102", since="2026-11-10", until="2026-11-12")
    frame = table.to_pandas()
    assert {str(day)[:10] for day in frame["day"]} == {"2026-11-10", "2026-11-11"}
    assert set(frame["currency"]) == {"JPY"}
    total = table.group_by("day").agg(spend=table.spend.sum()).to_pandas()
    assert len(total) == 2
    yen = frame["spend"].max()
    assert yen == int(yen) >= 5_000, "yen have no minor units"
    assert lab.history("act_101").to_pandas()["spend"].max() < 101, "euros are not cents"


def test_states_are_as_known_at_their_moment(lab: Lab) -> None:
    earlier = lab.states("act_101", as_of=history.NOW - timedelta(days=20))
    now = lab.states("act_101")
    assert len(earlier) == len(now) == 17
    merged = earlier.merge(now, on=["entity_type", "entity_id"])
    assert (merged["spend_x"] != merged["spend_y"]).any()


def test_refreshed_states_are_kept_as_the_latest(lab: Lab) -> None:
    lab.refresh_states("act_101")
    with lab.store.connection() as connection:
        kept = pd.read_sql("SELECT entity_id, state FROM intel_entity_state", connection)
    assert len(kept) == 17
    assert "cpa" in kept["state"].iloc[0]


def test_the_catalogue_can_be_searched(lab: Lab) -> None:
    assert "cpa_ratio" in lab.features.search("cpa target").table.index
    assert len(lab.features.search("no such thing")) == 0
    assert lab.features["roas"].name == "roas"
    with pytest.raises(UnknownNameError, match="Did you mean 'cpa_ratio'"):
        lab.features["cpa_ratoi"]


@pytest.mark.parametrize("wrong", ["101", "act_101; DROP TABLE", "act_' OR 1=1"])
def test_what_is_no_account_is_refused(lab: Lab, wrong: str) -> None:
    with pytest.raises(InvalidValueError, match="is not an account id"):
        lab.decisions(wrong)


def test_an_account_nobody_has_is_named(lab: Lab) -> None:
    with pytest.raises(NotFoundError, match="act_999"):
        lab.states("act_999")
    with pytest.raises(InvalidValueError, match="since"):
        lab.history(since="yesterday")
    with pytest.raises(InvalidValueError, match="NAME@ALIAS"):
        lab.policy("campaign-policy")
    with pytest.raises(UnknownNameError, match="campaign-policy"):
        lab.model("campaign-polcy")


def test_too_few_outcomes_cannot_be_cut(lab: Lab) -> None:
    with pytest.raises(NotEnoughDataError, match="measured outcomes: need 10, saw 0"):
        lab.split(lab.decisions(), newest=0.3)


def test_a_cut_log_never_looks_ahead(learned: Lab) -> None:
    log = learned.decisions()
    parts = models.split(log, newest=0.3)
    assert parts.older["as_of"].max() <= parts.cut < parts.newer["as_of"].min()
    assert len(parts.older) + len(parts.newer) == log["reward"].notna().sum()
    assert 0.15 < len(parts.newer) / log["reward"].notna().sum() < 0.45


def test_a_registry_that_does_not_answer_is_one_line(lab: Lab) -> None:
    with pytest.raises(UnavailableError, match="MLflow at"):
        lab.policy("campaign-policy@champion")


def test_a_picture_is_a_png_whatever_is_unknown() -> None:
    values = pd.Series({"a": 1.0, "b": float("nan")})
    shown = pictures.picture(pictures.bars(values, title="t", axis="x"), "p")
    assert shown._repr_png_().startswith(b"\x89PNG")
    frame = pd.DataFrame({"value": [1.0], "low": [0.5], "high": [2.0]}, index=["a"])
    figure = pictures.intervals(frame, title="t", axis="x")
    assert figure.axes[0].get_xlabel() == "x"


def test_connecting_takes_everything_from_the_settings(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "settings.env"
    empty.write_text("")
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("INTEL_ENV_FILE", str(empty))
    monkeypatch.setenv("INTEL_DATABASE_URL", store.url)
    history.write_history(store, history.ACCOUNTS[:1])
    lab = connect()
    try:
        assert repr(lab) == "Lab(1 accounts, platform time 2026-11-22 12:00 UTC)"
        assert list(lab.accounts()["account"]) == ["act_101"]
    finally:
        lab.close()
