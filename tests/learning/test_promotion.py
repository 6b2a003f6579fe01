"""Gates as properties, and the audited life of versions in a real registry."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import ConflictError, InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.data.store.sessions import Store
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning import promotion
from intel_ml.learning.gates import (
    EVIDENCE,
    Gate,
    Outcome,
    judge,
    read_card,
    read_model,
    with_floor,
)
from intel_ml.learning.promotion import Evidence, Lives
from intel_ml.learning.registry import Registration, Registry

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {
    "samples": 5000.0,
    "support_share": 0.99,
    "effective_samples": 900.0,
    "e_value": 40.0,
    "reverse_e_value": 0.3,
    "holds_to_odds": 1.4,
}
NUMBERS = st.one_of(st.none(), st.just(float("nan")), st.floats(0, 2000))


@given(needed=st.floats(0, 1000), seen=NUMBERS)
def test_a_gate_passes_only_a_number_that_is_there_and_large_enough(
    needed: float, seen: float | None
) -> None:
    verdict = judge(Gate(min_samples=needed), {"samples": seen}, name="it")
    if seen is None or seen != seen:  # noqa: PLR0124  # NaN
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert "measured outcomes" in str(verdict)
    else:
        assert verdict.has_passed == (seen >= needed)


@given(allowed=st.floats(0.1, 1000), seen=NUMBERS)
def test_a_gate_passes_only_a_number_that_is_there_and_small_enough(
    allowed: float, seen: float | None
) -> None:
    verdict = judge(Gate(max_reverse_e_value=allowed), {"reverse_e_value": seen}, name="it")
    if seen is None or seen != seen:  # noqa: PLR0124  # NaN
        assert verdict.outcome is Outcome.INCONCLUSIVE
    else:
        assert verdict.has_passed == (seen <= allowed)


@given(numbers=st.dictionaries(st.sampled_from(sorted(EVIDENCE)), NUMBERS))
def test_more_evidence_asked_for_never_turns_a_refusal_into_a_pass(
    numbers: dict[str, float | None],
) -> None:
    loose = judge(Gate(min_samples=100), numbers, name="loose")
    strict = judge(
        Gate(min_samples=100, min_e_value=20, min_support_share=0.9), numbers, name="strict"
    )
    if strict.has_passed:
        assert loose.has_passed
    if loose.outcome is Outcome.REFUSED:
        assert strict.outcome is Outcome.REFUSED


def test_what_is_missing_is_named_with_what_was_needed() -> None:
    gate = Gate(min_samples=1000, min_support_share=0.9, min_e_value=20)
    verdict = judge(gate, {"samples": 412, "support_share": 0.95}, name="champion")
    assert str(verdict) == (
        "champion gate refused: measured outcomes: need 1000, saw 412; "
        "e-value against the champion: need 20, none was measured"
    )


@given(floor=st.integers(0, 5000), own=st.integers(0, 5000))
def test_a_setting_raises_a_gate_and_never_lowers_it(floor: int, own: int) -> None:
    assert with_floor(Gate(min_samples=own), min_samples=floor).min_samples == max(floor, own)


@pytest.mark.parametrize("name", ["campaign-policy", "campaign-archetypes"])
def test_the_committed_models_can_be_read_and_have_a_card(name: str) -> None:
    folder = PROJECT / "models" / name
    assert read_model(folder).name == name
    card = read_card(folder)
    assert card.startswith(f"# {name}\n")
    assert "**Limits.**" in card


@pytest.mark.parametrize(
    ("old", "new", "error", "where"),
    [
        ("min_samples = 100", "min_sample = 100", InvalidValueError, "gates.shadow.min_sample"),
        ("min_samples = 100", "min_samples = -1", InvalidValueError, "gates.shadow.min_samples"),
        ('"cpa_ratio"', '"cpa_ration"', UnknownNameError, "Did you mean 'cpa_ratio'"),
        ('type = "reinforcement"', 'type = "magic"', InvalidValueError, "type"),
        ('name = "campaign-policy"', 'name = "other"', InvalidValueError, "folder's name"),
        ("[training]", "[training", InvalidValueError, r"model\.toml"),
    ],
)
def test_a_wrong_line_of_a_description_is_named(
    tmp_path: Path, old: str, new: str, error: type[Exception], where: str
) -> None:
    text = (PROJECT / "models" / "campaign-policy" / "model.toml").read_text()
    folder = tmp_path / "campaign-policy"
    folder.mkdir()
    (folder / "model.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=where):
        read_model(folder)


def test_a_model_that_does_not_exist_has_a_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'campaign-policy'"):
        read_model(PROJECT / "models" / "campain-policy")


@dataclass(frozen=True)
class _Play:
    lives: Lives

    def version(self, numbers: dict[str, float | None]) -> str:
        registry, name = self.lives.registry, self.lives.model.name
        with registry.run("tests", "train") as run:
            made = make_policy("ridge", alpha=0.1, features=["roas"])
            version = registry.register_policy(made, registration=Registration(name, run.id))
        evidence = Evidence(numbers, training_rows=7, data_range={"from": "a", "to": "b"})
        promotion.admit(self.lives, version, evidence=evidence, by="ada", now=NOW)
        return version

    def alias(self, alias: str) -> str | None:
        found = self.lives.registry.find(self.lives.model.name, alias)
        return found.version if found else None

    def statuses(self) -> list[tuple[str, str]]:
        with self.lives.store.session() as session:
            steps = promotion.life(session, self.lives.model.name)
        return [(step.version, step.status) for step in steps]


@pytest.fixture
def play(store: Store, registry: Registry) -> _Play:
    model = read_model(PROJECT / "models" / "campaign-policy")
    mine = model.model_copy(update={"name": f"policy-{uuid.uuid4().hex[:8]}"})
    return _Play(Lives(registry, store, mine))


@pytest.mark.server
def test_too_few_outcomes_stay_in_testing_and_say_so(play: _Play) -> None:
    version = play.version({"samples": 3.0, "support_share": 1.0})
    assert play.alias("shadow") is None
    assert play.statuses() == [(version, "testing")]
    [listed] = play.lives.registry.versions(play.lives.model.name)
    assert listed.tags["gate"] == "refused"
    assert "need 100, saw 3" in listed.tags["gate_evidence"]


@pytest.mark.server
def test_a_version_lives_from_testing_to_champion_and_back(play: _Play) -> None:
    first, second = play.version(dict(GOOD)), play.version(dict(GOOD))
    assert play.alias("shadow") == second
    assert promotion.promote(play.lives, first, by="ada", now=NOW).has_passed
    assert promotion.promote(play.lives, second, by="ada", now=NOW).has_passed
    assert play.alias("champion") == second
    back = promotion.rollback(play.lives, by="bob", reason="worse in Japan", now=NOW)
    assert back.version == first
    assert str(back).endswith("rollback: worse in Japan")
    assert play.alias("champion") == first
    promotion.demote(play.lives, by="bob", reason="too risky", now=NOW)
    assert play.alias("champion") is None
    assert play.alias("shadow") == first
    assert play.statuses() == [
        *[(first, "testing"), (first, "shadow"), (second, "testing")],
        *[(first, "deprecated"), (second, "shadow")],
        *[(first, "active"), (first, "deprecated"), (second, "active")],
        *[(second, "deprecated"), (first, "active"), (first, "shadow")],
    ]
    with pytest.raises(ConflictError, match="no champion to demote"):
        promotion.demote(play.lives, by="bob", reason="again", now=NOW)


@pytest.mark.server
def test_the_owner_sees_where_each_version_stands_and_why(play: _Play) -> None:
    version = play.version(dict(GOOD))
    registry, store, name = play.lives.registry, play.lives.store, play.lives.model.name
    [mine] = [s for s in promotion.overview(registry, store) if s.name == name]
    assert (mine.version, mine.aliases, mine.status) == (version, ("shadow",), "shadow")
    assert mine.training_rows == 7
    assert "shadow gate passed" in mine.verdict
    told = promotion.evidence(registry, store, name=name, version="shadow").text
    assert f"{name} version {version} (shadow)" in told
    assert "e-value against the champion: 40" in told
    assert "shadow by ada" in told
    with pytest.raises(NotFoundError, match="no version '12'"):
        promotion.evidence(registry, store, name=name, version="12")


@pytest.mark.server
def test_a_promotion_that_is_refused_changes_no_alias_and_is_kept(play: _Play) -> None:
    version = play.version({**GOOD, "e_value": 3.0})
    verdict = promotion.promote(play.lives, version, by="ada", now=NOW)
    assert not verdict.has_passed
    assert play.alias("champion") is None
    with play.lives.store.session() as session:
        last = promotion.life(session, play.lives.model.name)[-1]
    assert (last.status, last.changed_by) == ("shadow", "ada")
    assert "e-value against the champion: need 20, saw 3" in last.reason


@pytest.mark.server
def test_who_was_proved_worse_does_not_return_on_what_promoted_it(play: _Play) -> None:
    version = play.version(dict(GOOD))
    assert promotion.promote(play.lives, version, by="ada", now=NOW).has_passed
    worse = Evidence({**GOOD, "reverse_e_value": 51.0})
    promotion.demote(play.lives, by="watch", reason="worse", now=NOW, evidence=worse)
    refused = promotion.promote(play.lives, version, by="ada", now=NOW)
    assert "e-value of being worse than the champion: at most 20, saw 51" in str(refused)
    assert play.alias("champion") is None


@pytest.mark.server
def test_a_challenger_gathers_evidence_and_gives_up_its_seat_when_promoted(play: _Play) -> None:
    version = play.version({**GOOD, "e_value": 3.0})
    weak = Evidence({**GOOD, "e_value": 3.0})
    promotion.challenge(play.lives, version, evidence=weak, by="ada", now=NOW)
    assert not promotion.promote(play.lives, "challenger", by="ada", now=NOW).has_passed
    again = Evidence(dict(GOOD), details={"why": "400 more decisions"})
    step = promotion.weigh(play.lives, "challenger", evidence=again, by="40", now=NOW)
    assert (step.status, step.reason) == ("testing", "compared again: 400 more decisions")
    assert promotion.promote(play.lives, "challenger", by="ada", now=NOW).has_passed
    assert (play.alias("champion"), play.alias("challenger")) == (version, None)


@pytest.mark.server
def test_the_settings_floor_of_outcomes_holds_for_a_promotion(play: _Play) -> None:
    version = play.version(dict(GOOD))
    verdict = promotion.promote(play.lives, version, by="ada", now=NOW, min_training_samples=9000)
    assert "need 9000, saw 5000" in str(verdict)


@pytest.mark.server
def test_a_rollback_passes_over_who_was_demoted_and_carries_its_evidence(play: _Play) -> None:
    first, second = play.version(dict(GOOD)), play.version(dict(GOOD))
    for version in (first, second):
        promotion.promote(play.lives, version, by="ada", now=NOW)
    worse = Evidence({**GOOD, "reverse_e_value": 51.0}, details={"conclusion": "worse"})
    promotion.demote(play.lives, by="watch", reason="worse", now=NOW, evidence=worse)
    back = promotion.rollback(play.lives, by="ada", reason="rules alone earn less", now=NOW)
    assert back.version == first
    assert back.evidence["numbers"] == GOOD
    with pytest.raises(ConflictError, match="no champion before"):
        promotion.rollback(play.lives, by="ada", reason="again", now=NOW)


@pytest.mark.server
def test_there_is_nothing_to_roll_back_to_before_the_second_champion(play: _Play) -> None:
    version = play.version(dict(GOOD))
    promotion.promote(play.lives, version, by="ada", now=NOW)
    with pytest.raises(ConflictError, match="roll back"):
        promotion.rollback(play.lives, by="bob", reason="x", now=NOW)
    with pytest.raises(NotFoundError, match="no version '99'"):
        promotion.promote(play.lives, "99", by="ada", now=NOW)
