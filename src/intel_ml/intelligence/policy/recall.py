"""What is told of the nearest past cases: how many came out well, or what people said to them.

Reads   `Case`s, nearest first.
Gives   `Recalled`: the cases of one arm and a sentence about them, or why there are none.
Never   names an entity of another account, and never calls better than before better than left
        alone: what is picked because it is bad gets better by itself.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from intel_ml.core.actions import ARM_PERCENT, Arm
from intel_ml.core.ids import LEVEL_NAMES, Entity, EntityType
from intel_ml.core.recommendations import Verdict

NOTHING_ALIKE = "Nothing alike was tried before"
NOT_LEARNED = "no outcome is known yet"
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Case:
    """One past decision and what came of it; None is unknown.

    `likeness` is 1 where nothing known differs, 0 where the two are no more alike than any two past
    cases (`cases`). `reward` is what taught; `earned` is the change after against before,
    `against_left_alone` the same less what units earned that were left alone; both are shares of
    the money in play. `moment` and `entity` are None where the case is another account's.
    """

    likeness: float
    executed: Arm
    reward: float | None = None
    earned: float | None = None
    against_left_alone: float | None = None
    proposed: Arm | None = None
    verdict: Verdict | None = None
    moment: datetime | None = None
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """The most alike past cases of an arm, nearest first, and what they come to in a sentence."""

    arm: Arm
    cases: tuple[Case, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Whose:
    """How many entities of which level the cases are of, and how many cases are of others."""

    level: EntityType
    entities: int
    lent: int = field(default=0)


def nothing(arm: Arm, why: str) -> Recalled:
    """Return that nothing alike was tried, and why that is said.

    >>> nothing(Arm.PAUSE, "no outcome is known yet").says
    'Nothing alike was tried before: no outcome is known yet.'
    """
    return Recalled(arm, (), f"{NOTHING_ALIKE}: {why}.")


def outcomes(arm: Arm, cases: Sequence[Case], whose: Whose) -> Recalled:
    """Return the cases with what came of them.

    >>> good, bad = (Case(0.9, Arm.PAUSE, x, x, x) for x in (0.25, -0.05))
    >>> outcomes(Arm.PAUSE, [good, good, bad], Whose(EntityType.ADSET, 3)).says
    'In the 3 most alike past cases that were paused, 2 earned more than those left alone (median \
+25% of what was spent).'
    """
    head = _head(f"past case{_s(cases)} that {_was(cases)} {done(arm)}", cases, whose)
    return Recalled(arm, tuple(cases), f"{head} {_came_of(arm, cases)}{_lent(whose)}.")


def verdicts(arm: Arm, cases: Sequence[Case], whose: Whose) -> Recalled:
    """Return proposals with what people said to them.

    Of leaving things alone: how often that is what people did, whatever was proposed.

    >>> told = [Case(0.8, Arm.PAUSE, verdict=Verdict.APPROVED)] * 2
    >>> verdicts(Arm.PAUSE, told, Whose(EntityType.ADSET, 2)).says
    'In the 2 most alike proposals to pause people approved 2.'
    """
    if arm is Arm.MAINTAIN:
        left = sum(case.executed is Arm.MAINTAIN for case in cases)
        said = f"people left things as they were {left} {'time' if left == 1 else 'times'}"
        head = _head(f"proposal{_s(cases)}", cases, whose)
        return Recalled(arm, tuple(cases), f"{head} {said}{_lent(whose)}.")
    approved = sum(case.verdict is Verdict.APPROVED for case in cases)
    changed = sum(case.verdict is Verdict.MODIFIED for case in cases)
    also = f" and changed {changed}" if changed else ""
    head = _head(f"proposal{_s(cases)} to {_to_do(arm)}", cases, whose)
    says = f"{head} people approved {approved}{also}{_lent(whose)}."
    return Recalled(arm, tuple(cases), says)


def no_outcome(arm: Arm, level: EntityType) -> str:
    """Return that an arm was never tried, or not long enough ago."""
    return f"no outcome is known yet of any {LEVEL_NAMES[level]} that was {done(arm)}"


def no_verdict(arm: Arm) -> str:
    """Return that people were never asked about an arm."""
    about = "" if arm is Arm.MAINTAIN else f" to {_to_do(arm)}"
    return f"no answer is known yet to a proposal{about}"


def tried(arm: Arm, count: int) -> str:
    """Return how many cases there are of an arm.

    >>> tried(Arm.PAUSE, 1), tried(Arm.SCALE_10, 31)
    ('1 past case that was paused', '31 past cases that were raised by 10%')
    """
    return f"{count} past {'case that was' if count == 1 else 'cases that were'} {done(arm)}"


def asked(arm: Arm, count: int) -> str:
    """Return how many proposals there are of an arm; of leaving alone, of any."""
    about = "" if arm is Arm.MAINTAIN else f" to {_to_do(arm)}"
    return f"{count} proposal{'' if count == 1 else 's'}{about}"


def too_far(what: str, near: float, needed: float, differs: str) -> str:
    """Return that the nearest case is not near enough, and what is most different about it."""
    return (
        f"the nearest of {what} is {near:.2f} alike, and {needed:g} is asked for (1 is the same, "
        f"0 like any two); it differs most in {differs}"
    )


def done(arm: Arm) -> str:
    """Return what was done, as said of an entity.

    >>> done(Arm.REDUCE_20)
    'reduced by 20%'
    """
    percent = ARM_PERCENT[arm]
    if percent is None:
        return "paused" if arm is Arm.PAUSE else "left alone"
    return f"{'raised' if percent > 0 else 'reduced'} by {abs(percent)}%"


def _to_do(arm: Arm) -> str:
    percent = ARM_PERCENT[arm]
    if percent is None:
        return "pause"
    return f"{'raise' if percent > 0 else 'reduce'} the budget by {abs(percent)}%"


def _head(what: str, cases: Sequence[Case], whose: Whose) -> str:
    count = "one" if len(cases) == 1 else f"{len(cases)} most"
    few = whose.entities < len(cases)
    plural = "" if whose.entities == 1 else "s"
    of = f" ({whose.entities} {LEVEL_NAMES[whose.level]}{plural})" if few else ""
    comma = "," if " that " in what else ""
    return f"In the {count} alike {what}{of}{comma}"


def _came_of(arm: Arm, cases: Sequence[Case]) -> str:
    """Return how many came out well, by the strictest comparison that is known of each."""
    against = [_against(arm, case) for case in cases]
    compared = [value for value in against if value is not None]
    before = [
        case.earned
        for case, value in zip(cases, against, strict=True)
        if value is None and case.earned is not None
    ]
    if len(compared) == len(cases):
        return f"{_earned_more(compared)} than those left alone ({_median(compared)})"
    if len(before) == len(cases):
        alone = "" if arm is Arm.MAINTAIN else ", compared with none left alone"
        return f"{_earned_more(before)} than before ({_median(before)}{alone})"
    if len(compared) + len(before) == len(cases):
        both = [*compared, *before]
        how = f"{len(compared)} against those left alone, {len(before)} against before"
        return f"{_earned_more(both)} ({_median(both)}; {how})"
    rewards = [case.reward for case in cases if case.reward is not None]
    good = sum(reward > 0 for reward in rewards)
    return f"{good} had a reward above 0 (median {statistics.median(rewards):+.3g})"


def _against(arm: Arm, case: Case) -> float | None:
    # What was left alone says nothing against its own kind: it is told by what it earned.
    return None if arm is Arm.MAINTAIN else case.against_left_alone


def _earned_more(values: Sequence[float]) -> str:
    good = sum(value > 0 for value in values)
    if len(values) == 1:
        return "it earned more" if good else "it did not earn more"
    return f"{good} earned more"


def _median(values: Sequence[float]) -> str:
    share = f"{_PERCENT * statistics.median(values):+.0f}%".replace("-", "\N{MINUS SIGN}")
    return f"{'median ' if len(values) > 1 else ''}{share} of what was spent"


def _lent(whose: Whose) -> str:
    if not whose.lent:
        return ""
    return f"; {whose.lent} of them in other accounts that share"


def _s(cases: Sequence[Case]) -> str:
    return "" if len(cases) == 1 else "s"


def _was(cases: Sequence[Case]) -> str:
    return "was" if len(cases) == 1 else "were"
