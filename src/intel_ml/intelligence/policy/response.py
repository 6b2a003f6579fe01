"""What a change of budget would earn, from what money buys and how fast it buys less.

    results(m) = yield * m ** (1 - elasticity)          at m times today's budget
    gain(m)    = worth * yield * (m ** (1 - elasticity) - 1) - (m - 1)    per unit spent
    usual elasticity = base + slope * log(times a person meets the ad set in a day)

A constant-elasticity response curve (Hanssens, Parsons & Schultz, 2001, "Market Response Models",
ch. 3) on an empirical-Bayes estimate of each ad set's yield (`yields`). Where one works with what
is known of money and audiences, a few days teach more than thousands of rewards: rewards of three
days are noise around small differences, and what actions fire on recovers anyway. The long-run
yield is looked for, not the next three days, because a budget compounds.

A pause can't be learned from afterwards and is seldom taken back. So it must be nearly certain that
the ad set brings back less than `hopeless` of a target for a target spent; what is merely dear is
cut. Nor is a pause tried at random: its floor is `pause_floor`, a tenth of the others' or less, and
what it would have earned is known without trying.

`confidence` of more budget is the chance that the ad set still pays afterwards, of less that the
money saved was not worth its results, of a pause that the ad set is hopeless. Of leaving alone it
is even: nobody is sure that nothing should be done. Where it is low the rules decide.

More budget is hoped for: it can be taken back tomorrow, a day without it can't, so its yield counts
`hope` more than expected (optimism in the face of uncertainty). Floors are smaller than other
policies', and `assumptions` says why.

Under a campaign's budget a pause hands the money to the siblings, so there hopeless is what buys
less than `sibling_margin` of what they would buy with it (`siblings`).

A state is answered by itself and by what was learned: whatever stands beside it changes nothing.
Where nothing was ever seen of an ad set, it is left alone.

When it misleads: a target far from what a result is worth, unless `worth` says so.

Reads   states; a log's states.
Gives   `Policy`.
Never   chooses by a reward: what an action did is seen in the windows after it. Rewards are only
        remembered, to be told (`cases`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import cases, context, drawing, explain, files, siblings, windows
from intel_ml.intelligence.policy.assumptions import Assumptions
from intel_ml.intelligence.policy.outlook import PAUSE, Outlook, confidence, expected, outlook
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Choices, Gains
from intel_ml.intelligence.policy.settings import checked
from intel_ml.intelligence.policy.windows import FEATURES, Memory, Seen
from intel_ml.intelligence.policy.yields import Kind, Yields, kind_of, yields

if TYPE_CHECKING:
    import pandas as pd

NAME = "response"
Floats = NDArray[np.float64]
_UNWISE = -1.0
_OF_MEMORY = ("owner", "met", "ended", "spend", "results")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a log taught: what ad sets are like, and what each showed before its last week.

    `cases` are decisions with their rewards: nothing is chosen by them.
    """

    kind: Kind
    memory: Memory
    decisions: int
    cases: cases.Cases


class Policy(cases.Recalling):
    """`Policy().fit(log)`; before any log it works with what is usual. See `Assumptions`."""

    name = NAME
    entity_types: tuple[str, ...] = (EntityType.ADSET.value,)

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float) -> None:
        """Take settings by name; `features` is what others ask for, this policy knows its own."""
        del features
        self.settings = checked(Assumptions, settings)
        self._fitted: Fitted | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads."""
        return FEATURES

    def view(self, states: States) -> Outlook:
        """Return what is thought of each state."""
        seen, known = windows.seen_in_states(states), self._fitted
        return outlook(
            seen,
            self._yields(seen, None if known is None else known.memory),
            assumed=self.settings,
            better=siblings.better(
                seen, kind=self._kind, spell=self.settings.spell, elasticity=self.settings.base
            ),
        )

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms, and how sure it is."""
        mask = drawing.mask_of(allowed, len(states))
        view = self.view(states)
        scores = view.gains.copy()
        is_hopeless = view.hopeless >= self.settings.pause_sure
        scores[:, PAUSE] = np.where(is_hopeless, scores[:, PAUSE], _UNWISE)
        greedy = drawing.best(scores, mask)
        pmf = self._pmf(scores, mask)
        sure = confidence(view, greedy, mask, worth=self.settings.worth)
        return drawing.choices(pmf, keys, greedy=greedy, confidence=sure)

    def gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond leaving things alone, in three days.

        In the reward's unit, the money in play: a result counts as one target, whatever `worth`
        says, so that it can be compared with what is measured afterwards.
        """
        return expected(self.view(states))

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions, on top of what is known."""
        if log.empty:
            if self._fitted is None:
                raise NotEnoughDataError(quantity="decisions to learn from", needed=1, seen=0)
            return self
        seen, before = windows.seen_in_log(log), self._fitted
        memory = windows.remembered(seen)
        if before is not None:
            memory = windows.joined(before.memory, memory)
        decisions = len(log) + (0 if before is None else before.decisions)
        known = cases.empty_of_log(log, FEATURES) if before is None else before.cases
        self._fitted = Fitted(kind_of(memory), memory, decisions, known.learned(log))
        return self

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._fitted = None
        return self.learn(log)

    @property
    def _kind(self) -> Kind:
        return Kind() if self._fitted is None else self._fitted.kind

    def _yields(self, seen: Seen, memory: Memory | None) -> Yields:
        chosen = self.settings
        crowd = chosen.slope * np.log(windows.met_at_first(seen, memory))
        usual = np.minimum(chosen.base + crowd, chosen.most_elastic)
        return yields(seen, memory, kind=self._kind, belief=chosen.belief, usual=usual)

    def _pmf(self, scores: Floats, mask: NDArray[np.bool_]) -> Floats:
        """Return the floored softmax; a pause that isn't wise keeps a smaller floor."""
        chosen = self.settings
        open_ = np.where(mask, scores, -np.inf)
        soft = np.exp((open_ - open_.max(axis=1, keepdims=True)) / chosen.temperature)
        floors = np.where(mask, chosen.floor, 0.0)
        unwise = mask[:, PAUSE] & (scores[:, PAUSE] <= _UNWISE)
        floors[:, PAUSE] = np.where(unwise, chosen.pause_floor, floors[:, PAUSE])
        spare = 1 - floors.sum(axis=1, keepdims=True)
        return np.asarray(floors + spare * soft / soft.sum(axis=1, keepdims=True))

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return the plan's sentences, what results cost, and what a change would make of it."""
        one = states.take([row])
        view = self.view(one)
        state = one.state(0)
        said = list(explain.reasons(state, arm, []))
        said = [reason for reason in said if reason.text != explain.LEARNED]
        mean, results = float(view.yields.mean[0]), float(view.yields.results[0])
        at = ARM_INDEX[arm]
        said.append(
            Reason(
                f"A result costs about {1 / max(mean, 0.01):.2f} of its target, "
                f"going by {results:.0f} results",
                field="cpa_ratio",
                observed=state.get("cpa_ratio"),
                contribution=float(view.gains[0, at]),
            )
        )
        if (ARM_PERCENT[arm] or 0) != 0:
            marginal = 1 / max(mean * (1 - float(view.yields.elasticity[0])), 0.01)
            word = "more" if (ARM_PERCENT[arm] or 0) > 0 else "less"
            said.append(
                Reason(
                    f"The next results, with {word} budget, cost about {marginal:.2f} of it each",
                    field="frequency",
                    observed=state.get("frequency"),
                )
            )
        return tuple(said)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= {
                "ad_sets": asdict(known.kind),
                "decisions": known.decisions,
                "units": list(known.memory.units),
            }
            words |= known.cases.context.words_to_save() | known.cases.words_to_save()
            arrays = {name: getattr(known.memory, name) for name in _OF_MEMORY}
            arrays |= known.cases.context.arrays_to_save() | known.cases.arrays_to_save()
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(**words["settings"])
        if arrays:
            told = {name: arrays[name] for name in _OF_MEMORY}
            told["owner"] = told["owner"].astype(np.intp)
            policy._fitted = Fitted(
                Kind(**words["ad_sets"]),
                Memory(units=tuple(words["units"]), **told),
                words["decisions"],
                cases.loaded(words, arrays, context.loaded(words, arrays)),
            )
        return policy
