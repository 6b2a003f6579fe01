"""What a choice among candidates found, in values and in words.

Reads   nothing.
Gives   `Selection` and its `Candidate`s; the numbers for MLflow, the evidence kept with a version,
        sentences for someone who buys media.
Never   holds a number that JSON cannot: what is not finite is told as unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation.intervals import Interval
from intel_ml.learning.evaluation.support import Support

_LEVEL_WORDS = {"campaign": "campaigns", "adset": "ad sets", "ad": "ads"}
_ANY_LEVEL = "campaigns, ad sets and ads"
_NOT_IN_A_METRIC = re.compile(r"[^\w.:/ -]")
_DIGITS = 6
_NOTHING = 1e-9


class Basis(StrEnum):
    """What a choice rests on."""

    BEST = "best"
    PLAINER = "plainer"
    TIED = "tied"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Gap:
    """How much less a decision earned than by the best one, and how far that may be off."""

    value: float
    error: float

    @property
    def is_within_one_error(self) -> bool:
        """Whether the log cannot tell it from the best."""
        return self.value <= self.error + _NOTHING


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate on the decisions that were compared.

    `value` is the doubly robust one, `cautious` the one with large weights shrunk; `asked` is the
    share of decisions it may be asked about, `levels` of which kind (empty: any), `trouble` why it
    could not learn.
    """

    name: str
    algorithm: str
    levels: tuple[str, ...] = ()
    value: Interval | None = None
    cautious: Interval | None = None
    support: Support | None = None
    asked: float | None = None
    behind: Gap | None = None
    trouble: str = ""

    @property
    def could_learn(self) -> bool:
        """Whether nothing went wrong while it learned."""
        return not self.trouble

    @property
    def is_supported(self) -> bool:
        """Whether the log can speak for it."""
        return self.could_learn and self.support is not None and self.support.is_enough

    @property
    def asked_about(self) -> str:
        """The kinds of entities it may be asked about, in words."""
        return ", ".join(_LEVEL_WORDS.get(one, one) for one in self.levels) or _ANY_LEVEL

    @property
    def refused(self) -> str:
        """Why it took no part in the choice; empty where it did, or where there was none."""
        if self.trouble:
            return f"could not learn: {self.trouble}"
        if self.value is None or self.is_supported:
            return ""
        if self.support is None:
            return f"may only be asked about {self.asked_about}, and none was decided"
        return f"the log cannot speak for it: {'; '.join(self.support.missing)}"

    def __str__(self) -> str:
        parts = []
        if self.value is not None:
            worth = f"{self.value.value:+.3g} a decision"
            reach = f"({self.value.low:+.3g} to {self.value.high:+.3g})"
            parts.append(f"{worth} {reach if math.isfinite(self.value.low) else '(no interval)'}")
        if self.behind is not None:
            is_best = self.behind == Gap(0.0, 0.0)
            gap = f"{self.behind.value:.3g} ± {self.behind.error:.3g} behind the best"
            parts.append("as good as any" if is_best else gap)
        if self.refused:
            parts.append(self.refused)
        return f"{self.name}: {', '.join(parts) or 'not compared'}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which candidate was chosen, on what that rests, and why, in words.

    `done` is what was earned by what was done; `policy` is the chosen one, made from the whole log.
    """

    chosen: str
    basis: Basis
    why: str
    candidates: tuple[Candidate, ...]
    done: Interval | None
    decisions: int
    entities: int
    policy: Policy = field(repr=False)

    @property
    def numbers(self) -> dict[str, float | None]:
        """What MLflow keeps: values, intervals, gaps and support of each candidate."""
        found: dict[str, float | None] = {"compared_on": float(self.decisions)}
        for one in self.candidates:
            told = _facts(one)
            about = f"candidate.{_NOT_IN_A_METRIC.sub('_', one.name)}"
            for name in ("value", "low", "high", "behind", "behind_error", "effective_samples"):
                found[f"{about}.{name}"] = told[name]
            found[f"{about}.chosen"] = float(one.name == self.chosen)
        return found

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found: the choice, then one line a candidate."""
        return (f"{self.why}", *(str(one) for one in self.candidates))

    @property
    def evidence(self) -> dict[str, Any]:
        """What is kept with a version that was chosen like this: plain JSON."""
        return {
            "chosen": self.chosen,
            "basis": self.basis.value,
            "told": list(self.sentences),
            "decisions": self.decisions,
            "entities": self.entities,
            "candidates": [_facts(one) for one in self.candidates],
        }


def why(
    chosen: str, basis: Basis, candidates: Sequence[Candidate], *, decisions: int, problem: str
) -> str:
    """Return in words why that candidate was chosen; `problem` is why nothing could be compared."""
    compared = [one for one in candidates if one.behind is not None]
    if basis is Basis.UNTOLD:
        return _untold(chosen, candidates, problem)
    best = next(one for one in compared if one.behind == Gap(0.0, 0.0))
    on = f"on {decisions:,} decisions they had not seen"
    first = "the first listed" if len(compared) == len(candidates) else "the first listed of them"
    if basis is Basis.TIED:
        return (
            f"{chosen} is taken: {on}, none of the {len(compared)} candidates compared was more "
            f"than one standard error from the best ({best.name}). Too little was seen to tell "
            f"them apart, so {first} is kept."
        )
    if basis is Basis.PLAINER:
        mine = next(one for one in compared if one.name == chosen)
        gap = mine.behind or Gap(0.0, 0.0)
        return (
            f"{chosen} is taken: {best.name} earned most {on}, but {chosen}, listed before it, "
            f"only {gap.value:.3g} less a decision, within one standard error ({gap.error:.3g}). "
            "Of those the log cannot tell from the best, the plainest is taken."
        )
    if compared[0].name == chosen:
        return f"{chosen} is taken: it earned most {on}, and it is {first}."
    return (
        f"{chosen} is taken: it earned most {on}, and each candidate compared that is listed "
        "before it less by more than one standard error."
    )


def _untold(chosen: str, candidates: Sequence[Candidate], problem: str) -> str:
    known = [one for one in candidates if one.could_learn]
    first = "the first listed" if len(known) == len(candidates) else "the first that could learn"
    if len(candidates) == 1:
        return f"{chosen} is taken: {problem}."
    spoken = [one.name for one in candidates if one.is_supported]
    if not problem and len(known) == 1:
        return f"{chosen} is taken: it is the only one that could learn."
    if not problem and spoken:
        problem = f"the log speaks for {spoken[0]} alone; what the others do was tried too rarely"
    if not problem:
        problem = "the log speaks for none of them; what they do was tried too rarely"
    return f"{chosen} is kept, as {first}: nothing could be compared ({problem})."


def _facts(one: Candidate) -> dict[str, Any]:
    """Return a candidate as plain JSON; what is not finite is unknown."""
    value, cautious, support, behind = one.value, one.cautious, one.support, one.behind
    numbers = {
        "value": None if value is None else value.value,
        "low": None if value is None else value.low,
        "high": None if value is None else value.high,
        "cautious_value": None if cautious is None else cautious.value,
        "behind": None if behind is None else behind.value,
        "behind_error": None if behind is None else behind.error,
        "effective_samples": None if support is None else support.ess,
        "supported_share": None if support is None else support.supported_share,
        "asked_share": one.asked,
    }
    return {
        "name": one.name,
        "algorithm": one.algorithm,
        "levels": list(one.levels),
        **{name: _number(number) for name, number in numbers.items()},
        "refused": one.refused,
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, _DIGITS)
