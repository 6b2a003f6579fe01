"""What the approver would do: which arm they would have executed, what they say to a proposal.

    P(arm | x)              what a person lets happen in this state (`likeness` of executed arms)
    P(verdict | x, b)       approve, reject, modify, when arm b is proposed (`likeness` of verdicts)
    P(executed a | x, b)    approve to b, reject to `maintain`, modify to the rest of P(arm | x)

Both are calibrated out of fold: 80 % sure is right about 80 % of the time. A rejection labels the
decision `maintain`: it teaches what people want, it is never a reward. Decisions nobody was asked
about (nothing was proposed, nothing done) count a little; held-out ones don't count, chance made
them. The newest few thousand teach: tastes change.

When it misleads: people who approve everything are imitated too. Agreement is not value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import InvalidValueError, ModelRefusedError, NotEnoughDataError
from intel_ml.core.recommendations import Reason, Verdict
from intel_ml.features.states import States
from intel_ml.intelligence.policy import (
    cases,
    context,
    drawing,
    evidence,
    explain,
    files,
    likeness,
)
from intel_ml.intelligence.policy.case_rows import Tells
from intel_ml.intelligence.policy.likeness import Likeness
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Choices
from intel_ml.intelligence.policy.settings import FLOOR, Drawing, checked
from intel_ml.intelligence.policy.sureness import softmax

if TYPE_CHECKING:
    import pandas as pd

NAME = "imitation"
VERDICTS: tuple[Verdict, ...] = (Verdict.APPROVED, Verdict.REJECTED, Verdict.MODIFIED)
_APPROVED, _REJECTED, _MODIFIED = range(len(VERDICTS))
_FEWEST_VERDICTS = 20
_SIGNS = np.array([-1 if arm is Arm.PAUSE else np.sign(ARM_PERCENT[arm] or 0) for arm in ARMS])


@dataclass(frozen=True, slots=True)
class Settings:
    """`silent_weight` is what a decision nobody was asked about counts, a judged one being 1."""

    penalty: float = 1.0
    silent_weight: float = 0.3
    most: int = 4000
    floor: float = FLOOR
    seed: int = 0

    def __post_init__(self) -> None:
        if self.penalty <= 0 or self.silent_weight < 0 or self.most < 1:
            raise InvalidValueError(
                path="penalty", problem="penalty and most are above 0, weights not below"
            )
        Drawing(floor=self.floor)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a person is expected to say to n proposals; `executed` is (n, 6), rows sum to 1."""

    approve: NDArray[np.float64]
    reject: NDArray[np.float64]
    modify: NDArray[np.float64]
    executed: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is known of the person; `verdicts` is None where too few were given.

    `cases` are the proposals a person judged, each with what was said to it.
    """

    context: context.Context
    arms: Likeness
    verdicts: Likeness | None
    labels: int
    cases: cases.Cases


class Policy(context.Reading, cases.Recalling):
    """Gives each arm the probability that a person would have chosen it."""

    name = NAME

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._fitted: Fitted | None = None

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and most human arms; before any log, chance that prefers `maintain`."""
        mask = drawing.mask_of(allowed, len(states))
        how = Drawing(temperature=1.0, floor=self.settings.floor)
        known = self._fitted
        if known is None:
            scores = np.zeros((len(states), len(ARMS)))
            pmf, greedy = drawing.pmf_of(scores, mask, how), drawing.best(scores, mask)
            return drawing.choices(pmf, keys, greedy=greedy, confidence=1.0 / mask.sum(axis=1))
        x = known.context.of_states(states)
        views = known.arms.views(x)
        scores = known.arms.scores(x, views)
        greedy = drawing.best(scores, mask)
        # The floor is for learning; how sure one is, is said without it.
        unfloored = softmax(np.where(mask, scores, -np.inf))
        sure = known.arms.sure(unfloored, views, greedy)
        return drawing.choices(
            drawing.pmf_of(scores, mask, how), keys, greedy=greedy, confidence=sure
        )

    def foresee(self, states: States, proposed: Sequence[Arm]) -> Foreseen:
        """Return what the person is expected to say to these proposals, one a state."""
        known = self._fitted
        if known is None:
            raise NotEnoughDataError(quantity="decisions a person judged", needed=1, seen=0)
        x = known.context.of_states(states)
        rows, arms = (
            np.arange(len(x)),
            np.array([ARM_INDEX[arm] for arm in proposed], dtype=np.intp),
        )
        wanted = softmax(known.arms.scores(x))
        if known.verdicts is None:
            said = np.column_stack([wanted[rows, arms], wanted[:, MAINTAIN]])
            said = np.column_stack([said, 1.0 - said.sum(axis=1)])
        else:
            said = softmax(known.verdicts.scores(_asked_of(x, arms)))
        said[arms == MAINTAIN] = [1.0, 0.0, 0.0]
        instead = wanted.copy()
        instead[rows, arms] = instead[:, MAINTAIN] = 0.0
        instead /= np.maximum(instead.sum(axis=1, keepdims=True), _TINY)
        executed = said[:, _MODIFIED, None] * instead
        executed[rows, arms] += said[:, _APPROVED]
        executed[:, MAINTAIN] += said[:, _REJECTED]
        return Foreseen(said[:, _APPROVED], said[:, _REJECTED], said[:, _MODIFIED], executed)

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._fitted = None
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more verdicts, starting from and pulled to what is known already."""
        log, weights = _judged(log, self.settings)
        if self._fitted is None and log.empty:
            raise NotEnoughDataError(quantity="decisions a person judged", needed=1, seen=0)
        if log.empty:
            return self
        before = self._fitted
        fixed = context.learned(log, self._asked) if before is None else before.context
        x = context.of_log(fixed, log)
        labels = _indices(log["executed"])
        remembered = cases.empty(fixed, Tells.VERDICTS) if before is None else before.cases
        self._fitted = Fitted(
            context=fixed,
            arms=likeness.learned(
                likeness.Choices(x, labels, weights, len(ARMS)),
                penalty=self.settings.penalty,
                before=None if before is None else before.arms,
                seed=self.settings.seed,
            ),
            verdicts=self._verdicts(log, x, None if before is None else before.verdicts),
            labels=len(log) + (0 if before is None else before.labels),
            cases=remembered.learned(log),
        )
        return self

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return the plan's sentences that hold and the features that speak for this arm."""
        state = states.state(row)
        known = self._fitted
        if known is None:
            return explain.reasons(state, arm, [])
        parts = explain.contributions(
            known.context, states.take([row]), arm, scores=known.arms.scores
        )
        return explain.reasons(state, arm, parts)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`; trees are text inside the former."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= known.context.words_to_save()
            words |= {"labels": known.labels, "arms": known.arms.words_to_save()}
            words |= known.cases.words_to_save()
            arrays = known.context.arrays_to_save() | known.arms.arrays_to_save("arms")
            arrays |= known.cases.arrays_to_save()
            if known.verdicts is not None:
                words |= {"verdicts": known.verdicts.words_to_save()}
                arrays |= known.verdicts.arrays_to_save("verdicts")
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            if "arms" not in words:
                raise ModelRefusedError(f"{Path(folder).name}: holds an older kind of imitation.")
            said = words.get("verdicts")
            fixed = context.loaded(words, arrays)
            policy._fitted = Fitted(
                context=fixed,
                arms=likeness.loaded(words["arms"], arrays, "arms"),
                verdicts=None if said is None else likeness.loaded(said, arrays, "verdicts"),
                labels=words["labels"],
                cases=cases.loaded(words, arrays, fixed, Tells.VERDICTS),
            )
        return policy

    def _verdicts(
        self, log: pd.DataFrame, x: NDArray[np.float64], before: Likeness | None
    ) -> Likeness | None:
        said = log["verdict"].map({verdict.value: at for at, verdict in enumerate(VERDICTS)})
        proposed = log["proposed"].map(ARM_INDEX)
        use = (said.notna() & proposed.notna() & (proposed != MAINTAIN)).to_numpy()
        if use.sum() < _FEWEST_VERDICTS:
            return before
        arms = proposed[use].to_numpy(dtype=np.int64).astype(np.intp)
        labels = said[use].to_numpy(dtype=np.int64).astype(np.intp)
        seen = likeness.Choices(_asked_of(x[use], arms), labels, np.ones(len(arms)), len(VERDICTS))
        return likeness.learned(
            seen, penalty=self.settings.penalty, before=before, seed=self.settings.seed
        )


def _judged(log: pd.DataFrame, how: Settings) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return the newest decisions that say what people want, and how much each counts."""
    evidence.require(log, "executed", "verdict", "proposed")
    known = log["executed"].isin(list(ARM_INDEX)).to_numpy()
    asked = log["verdict"].isin(list(Verdict)).to_numpy()
    quiet = (log["proposed"] == Arm.MAINTAIN).to_numpy() & (
        log["executed"] == Arm.MAINTAIN
    ).to_numpy()
    held = np.zeros(len(log), dtype=bool)
    if "is_held_out" in log:
        held = (log["is_held_out"] == True).to_numpy()  # noqa: E712  # None is not held out
    use = np.flatnonzero(known & ~held & (asked | (quiet & (how.silent_weight > 0))))
    if "as_of" in log and len(use) > how.most:
        use = use[np.argsort(log["as_of"].to_numpy()[use], kind="stable")]
    use = use[-how.most :]
    return log.iloc[use], np.where(asked[use], 1.0, how.silent_weight)


def _asked_of(x: NDArray[np.float64], arms: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return states with what is proposed: the arm, and each feature's meaning for less or more."""
    signs = _SIGNS[arms][:, None]
    return np.hstack([x, np.eye(len(ARMS))[arms], x * (signs < 0), x * (signs > 0)])


def _indices(arms: pd.Series) -> NDArray[np.intp]:
    return np.asarray(arms.map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp))


_TINY = 1e-12
