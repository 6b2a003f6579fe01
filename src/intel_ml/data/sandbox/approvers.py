"""Simulated approvers: people who approve, reject with a reason, modify, or let a proposal expire.

    evidence = what the state says for the proposed arm, in [-1, 1]
    judged   = evidence + insight * quality * (+1 to scale, -1 to cut or pause) + noise
    approve above the profile's bar; a milder arm just below it; reject else

The noise belongs to the case (the arm and what is seen of the ad set) with probability
sqrt(consistency), else to the moment: so the same case asked twice gets the same answer at least
`consistency` of the time, if it gets one: having time to answer is of the moment. `insight` is how
much a person trusts what they know and the platform can't see: a quality in [-1, 1] of each ad
set, 0 where they know nothing.

Reads   a proposal's arm and the state it was made in; unknown values stay unknown.
Gives   a `Judgement`, always the same for the same profile, seed and key.
Never   sees the truth of the world, but for the insider, who is there to know more than the log.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from intel_ml.core.actions import Arm
from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.sandbox.world import World

State = Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the person said; no verdict lets it expire. `alternative` comes with MODIFIED."""

    verdict: Verdict | None
    reason: str
    alternative: Arm | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How much evidence a person wants, how steady they are, how often they answer or oppose."""

    bar: float
    mild_zone: float
    noise: float
    answers: float
    opposes: float
    consistency: float = 0.95
    insight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("answers", "opposes", "consistency"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidValueError(path=name, problem="must be from 0 to 1")


@dataclass(frozen=True, slots=True)
class Taste:
    """What counts as good or bad for a media buyer: multiples of the target, results, frequency."""

    good_ratio: float = 0.9
    fair_ratio: float = 1.2
    bad_ratio: float = 2.0
    proof_results: float = 5.0
    worn_frequency: float = 3.5
    empty_spend: float = 2.0


PROFILES = {
    "careful": Profile(bar=0.25, mild_zone=0.3, noise=0.08, answers=1.0, opposes=0.0),
    "trusting": Profile(bar=-0.35, mild_zone=0.0, noise=0.1, answers=1.0, opposes=0.0),
    "busy": Profile(bar=0.0, mild_zone=0.1, noise=0.15, answers=0.5, opposes=0.0, consistency=0.6),
    "contrarian": Profile(
        bar=0.0, mild_zone=0.0, noise=0.15, answers=0.95, opposes=0.75, consistency=0.8
    ),
    "insider": Profile(bar=0.1, mild_zone=0.2, noise=0.08, answers=1.0, opposes=0.0, insight=1.2),
}
_MILDER = {Arm.PAUSE: Arm.REDUCE_50, Arm.REDUCE_50: Arm.REDUCE_20, Arm.SCALE_20: Arm.SCALE_10}
_STRONG, _SOME, _LITTLE = 0.8, 0.45, 0.15
_SCALING = (Arm.SCALE_10, Arm.SCALE_20)
#: What of a state makes a case the same case, in so many digits.
_SEEN = ("cpa_ratio", "cpa", "target_cpa", "spend", "conversions", "frequency", "learning_phase")
_DIGITS = 3
#: From here on what an insider knows is worth a sentence.
_TELLING = 0.2
_MILLE = 1000
Evidence = tuple[float, str]


class Approver:
    """One simulated person; `knows` is the quality of ad sets by id, for who has insight.

    >>> state = {"cpa_ratio": 3.0, "spend": 180.0, "conversions": 3.0, "target_cpa": 20.0}
    >>> Approver("careful", 1).judge(key="a", arm=Arm.PAUSE, state=state).verdict
    <Verdict.APPROVED: 'approved'>
    """

    def __init__(
        self,
        profile: str,
        seed: int,
        *,
        taste: Taste | None = None,
        consistency: float | None = None,
        knows: Mapping[str, float] | None = None,
    ) -> None:
        if profile not in PROFILES:
            raise UnknownNameError(kind="approver profile", name=profile, known=PROFILES)
        self.name, self.profile, self.seed = profile, PROFILES[profile], seed
        if consistency is not None:
            self.profile = replace(self.profile, consistency=consistency)
        self.taste, self.knows = taste or Taste(), knows or {}

    def judge(self, *, key: str, arm: Arm, state: State, entity_id: str | None = None) -> Judgement:
        """Return what this person says to a proposal; `key` identifies it, `entity_id` its ad set.

        Insight needs the ad set: who isn't told which one it is judges by the state alone.
        """
        moment = self._draws(key)
        answers, settles = moment.random(2)
        if answers >= self.profile.answers:
            return Judgement(None, "No time to look at it.")
        settled = settles < math.sqrt(self.profile.consistency)
        draws = self._draws(_case(arm, state, entity_id)) if settled else moment
        opposes = draws.random()
        weight, reason = self._informed(arm, state, entity_id)
        judged = weight + self.profile.noise * float(draws.standard_normal())
        if opposes < self.profile.opposes:
            judged, reason = -judged, "I don't see it that way."
        if judged >= self.profile.bar:
            return Judgement(Verdict.APPROVED, reason)
        milder = _MILDER.get(arm)
        if milder is not None and judged >= self.profile.bar - self.profile.mild_zone:
            return Judgement(Verdict.MODIFIED, f"A smaller step is enough: {reason}", milder)
        return Judgement(Verdict.REJECTED, reason)

    def _draws(self, what: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{self.seed}:{self.name}:{what}".encode()).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big")))

    def _informed(self, arm: Arm, state: State, entity_id: str | None) -> Evidence:
        """Return the evidence with what this person knows beside it."""
        weight, reason = self.evidence(arm, state)
        known = self.profile.insight * self.knows.get(entity_id or "", 0.0)
        if arm is Arm.MAINTAIN or known == 0:
            return weight, reason
        speaks = known if arm in _SCALING else -known
        if abs(speaks) >= _TELLING:
            reason = (
                "I know this one: it is better than it looks."
                if known > 0
                else "I know this one: it is worse than it looks."
            )
        return weight + speaks, reason

    def evidence(self, arm: Arm, state: State) -> Evidence:
        """Return how strongly the state speaks for an arm, and in which words."""
        if arm is Arm.MAINTAIN:
            return _SOME, "Nothing to change."
        if arm is Arm.PAUSE:
            return self._for_pause(state)
        return self._for_scaling(state) if arm in _SCALING else self._for_cut(arm, state)

    def _for_pause(self, state: State) -> Evidence:
        taste, ratio, results = self.taste, _ratio(state), _number(state, "conversions")
        if results == 0:
            return self._for_empty(state)
        if ratio is None or results is None:
            return -_LITTLE, "Not enough data to pause."
        if ratio >= taste.bad_ratio and results >= taste.proof_results:
            return _STRONG, f"Cost per result is {ratio:.1f} times the target, and that is proven."
        if ratio >= taste.bad_ratio:
            return _SOME, f"Cost per result is {ratio:.1f} times the target."
        if ratio <= taste.fair_ratio:
            return -_STRONG, "It performs near target; don't pause it."
        return -_LITTLE, "Too expensive, but a cut would do."

    def _for_empty(self, state: State) -> Evidence:
        spend, target = _number(state, "spend"), _number(state, "target_cpa")
        if spend is None or not target:
            return -_LITTLE, "No results, but the spend or the target is unknown."
        if (
            state.get("learning_phase") == "LEARNING"
            and spend < 2 * self.taste.empty_spend * target
        ):
            return -_SOME, "Still learning; give it time."
        if spend >= self.taste.empty_spend * target:
            return _STRONG, f"Spent {spend / target:.1f} times the target without a result."
        return -_SOME, "Spent too little to say anything."

    def _for_scaling(self, state: State) -> Evidence:
        taste, ratio, results = self.taste, _ratio(state), _number(state, "conversions")
        frequency = _number(state, "frequency")
        if ratio is None or results is None:
            return -_SOME, "No results to build on."
        if state.get("learning_phase") == "LEARNING":
            return -_SOME, "Still learning; an edit could restart it."
        if frequency is not None and frequency > taste.worn_frequency:
            return -_LITTLE, "The audience has seen it too often to scale."
        if ratio <= taste.good_ratio and results >= taste.proof_results:
            return (
                _STRONG,
                f"Cost per result is {ratio:.2f} of the target over {results:.0f} results.",
            )
        if ratio <= taste.good_ratio:
            return _LITTLE, "Looks good, on few results."
        return (
            (_LITTLE, "On target.") if ratio <= 1 else (-_STRONG, "Over target; don't spend more.")
        )

    def _for_cut(self, arm: Arm, state: State) -> Evidence:
        taste, ratio = self.taste, _ratio(state)
        if _number(state, "conversions") == 0:
            weight, reason = self._for_empty(state)
            return weight, reason
        if ratio is None:
            return -_LITTLE, "Not enough data to cut."
        if ratio >= taste.bad_ratio:
            return _STRONG, f"Cost per result is {ratio:.1f} times the target."
        if ratio >= taste.fair_ratio:
            return (_LITTLE if arm is Arm.REDUCE_50 else _SOME), "Over target; a cut is right."
        return -_STRONG, "It performs; leave the budget."


def hidden_quality(world: World) -> dict[str, float]:
    """Return what only the world knows of each ad set: how far it truly pays, in [-1, 1].

    tanh(log(margin * order value / cost per result)), fresh creatives, at its first budget; 0 just
    pays for itself.
    """
    population = world.population
    traits, ads = population.adset_traits, population.ad_traits
    count = np.maximum(np.bincount(ads.adset, minlength=len(population.adsets)), 1)
    sold = np.bincount(ads.adset, weights=ads.ctr * ads.rate, minlength=len(count)) / count
    margin = np.array([population.accounts[row].margin for row in traits.account])
    cost = traits.cpm / _MILLE / np.maximum(sold * traits.rate, np.finfo(np.float64).tiny)
    worth = np.tanh(np.log(margin * traits.order_value / cost))
    return {node.id: float(one) for node, one in zip(population.adsets, worth, strict=True)}


def _case(arm: Arm, state: State, entity_id: str | None) -> str:
    """Return what makes two proposals the same case."""
    seen = [
        f"{value:.{_DIGITS}g}" if isinstance(value := state.get(name), float | int) else str(value)
        for name in _SEEN
    ]
    return f"case:{entity_id or ''}:{arm}:{':'.join(seen)}"


def _number(state: State, name: str) -> float | None:
    value = state.get(name)
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return None
    return float(value)


def _ratio(state: State) -> float | None:
    ratio = _number(state, "cpa_ratio")
    if ratio is not None:
        return ratio
    cpa, target = _number(state, "cpa"), _number(state, "target_cpa")
    return cpa / target if cpa is not None and target else None
