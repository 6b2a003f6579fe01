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
policies': in a growing account a cut drawn at random costs as much as a week of good decisions.

Under a campaign's budget a pause hands the money to the siblings, so there hopeless is what buys
less than `sibling_margin` of what they would buy with it; one of a campaign at a time. Siblings are
known by the budget they share.

When it misleads: a target far from what a result is worth, unless `worth` says so; two campaigns of
one account with the same budget, which look like one.

Reads   states; a log's states, executed arms and probabilities.
Gives   `Policy`.
Never   reads a reward: what an action did is seen in the windows after it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing, explain, files
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Choices
from intel_ml.intelligence.policy.settings import MAX_FLOOR, checked
from intel_ml.intelligence.policy.yields import (
    ELASTICITIES,
    FEATURES,
    WINDOW_DAYS,
    Belief,
    Kind,
    Memory,
    Seen,
    Yields,
    kind_of,
    remembered,
    seen_in_log,
    seen_in_states,
    yields,
)

if TYPE_CHECKING:
    import pandas as pd

NAME = "response"
Floats = NDArray[np.float64]
_PAUSE = ARM_INDEX[Arm.PAUSE]
_TIMES = np.array([0.0 if arm is Arm.PAUSE else 1 + (ARM_PERCENT[arm] or 0) / 100 for arm in ARMS])
_UNWISE = -1.0
_ARRAYS = ("met", "ended", "spend", "results")
#: How sure of leaving alone where nothing would gain: not enough to silence a rule.
_EVEN, _LEAST_SURE = 0.5, 1e-6
#: A gain below this share of the money spent is not worth the name.
_SLIGHT = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """What is assumed until a log says otherwise, and how careful to be."""

    worth: float = 1.25
    base: float = 0.15
    slope: float = 0.9
    spread: float = 0.15
    most_elastic: float = 0.8
    half_life: float = 5.0
    curve_half_life: float = 30.0
    spell: float = 0.05
    reported: float = 0.92
    hope: float = 0.25
    hopeless: float = 0.7
    sibling_margin: float = 0.8
    pause_sure: float = 0.9
    temperature: float = 0.005
    floor: float = 0.002
    pause_floor: float = 0.0005
    seed: int = 0

    def __post_init__(self) -> None:
        if (
            min(
                self.worth,
                self.half_life,
                self.curve_half_life,
                self.spread,
                self.reported,
                self.pause_floor,
            )
            <= 0
        ):
            raise InvalidValueError(path="worth", problem="must be above 0, like half_life")
        if not 0 <= self.base <= self.most_elastic < 1:
            raise InvalidValueError(path="base", problem="0 <= base <= most_elastic < 1")
        if min(self.slope, self.spell, self.hopeless) < 0:
            raise InvalidValueError(path="slope", problem="slope, spell, hopeless are not below 0")
        if not 0 < self.pause_sure < 1:
            raise InvalidValueError(path="pause_sure", problem="must be between 0 and 1")
        if not 0 < self.pause_floor <= self.floor <= MAX_FLOOR:
            raise InvalidValueError(
                path="floor",
                problem=f"0 < pause_floor <= floor <= {MAX_FLOOR:.3f}",
                hint="A choice without a floor cannot be judged from its log.",
            )
        if self.temperature <= 0:
            raise InvalidValueError(path="temperature", problem="must be above 0")

    @property
    def belief(self) -> Belief:
        """How evidence counts."""
        return Belief(
            half_life=self.half_life,
            curve_half_life=self.curve_half_life,
            spell=self.spell,
            reported=self.reported,
            spread=self.spread,
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a log taught: what ad sets are like, and what each showed before its last week."""

    kind: Kind
    memory: Memory
    decisions: int


@dataclass(frozen=True, slots=True)
class View:
    """What is thought of each row: its yield, the gain of each arm (n, 6), how surely hopeless."""

    seen: Seen
    yields: Yields
    gains: Floats
    hopeless: Floats


class Policy:
    """`Policy().fit(log)`; before any log it works with what is usual. See `Settings`."""

    name = NAME
    entity_types: tuple[str, ...] = (EntityType.ADSET.value,)

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float) -> None:
        """Take settings by name; `features` is what others ask for, this policy knows its own."""
        del features
        self.settings = checked(Settings, settings)
        self._fitted: Fitted | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads."""
        return FEATURES

    def view(self, states: States) -> View:
        """Return what is thought of each state."""
        return self._view(seen_in_states(states))

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms, and how sure it is."""
        mask = drawing.mask_of(allowed, len(states))
        view = self.view(states)
        scores = view.gains.copy()
        is_hopeless = view.hopeless >= self.settings.pause_sure
        scores[:, _PAUSE] = np.where(is_hopeless, scores[:, _PAUSE], _UNWISE)
        greedy = drawing.best(scores, mask)
        pmf = self._pmf(scores, mask)
        sure = self._confidence(view, greedy, mask)
        return drawing.choices(pmf, keys, greedy=greedy, confidence=sure)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions, on top of what is known."""
        if log.empty:
            if self._fitted is None:
                raise NotEnoughDataError(quantity="decisions to learn from", needed=1, seen=0)
            return self
        seen = seen_in_log(log)
        memory = remembered(seen)
        if self._fitted is not None:
            memory = _joined(self._fitted.memory, memory)
        before = 0 if self._fitted is None else self._fitted.decisions
        self._fitted = Fitted(kind_of(memory), memory, before + len(log))
        return self

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._fitted = None
        return self.learn(log)

    def _view(self, seen: Seen) -> View:
        chosen = self.settings
        known = self._fitted
        met = _met(seen, None if known is None else known.memory)
        usual = np.minimum(chosen.base + chosen.slope * np.log(met), chosen.most_elastic)
        found = yields(
            seen,
            None if known is None else known.memory,
            kind=Kind() if known is None else known.kind,
            belief=chosen.belief,
            usual=usual,
        )
        # (n, grid) @ (grid, arms): what each arm would buy more, averaged over elasticities.
        more = (found.weight * found.each) @ (_TIMES ** (1 - ELASTICITIES[:, None]) - 1)
        hope = np.where(_TIMES > 1, 1 + chosen.hope, 1.0)
        gains = chosen.worth * hope * more - (_TIMES - 1)
        hopeless = np.full(len(seen), chosen.hopeless)
        for row, better in _better_siblings(seen, found):
            hopeless[row] = chosen.sibling_margin * better
            gains[row, _PAUSE] = chosen.worth * (better - found.mean[row])
        sure = found.below(hopeless[:, None])
        return View(seen, found, gains, sure)

    def _pmf(self, scores: Floats, mask: NDArray[np.bool_]) -> Floats:
        """Return the floored softmax; a pause that isn't wise keeps a smaller floor."""
        chosen = self.settings
        open_ = np.where(mask, scores, -np.inf)
        soft = np.exp((open_ - open_.max(axis=1, keepdims=True)) / chosen.temperature)
        floors = np.where(mask, chosen.floor, 0.0)
        unwise = mask[:, _PAUSE] & (scores[:, _PAUSE] <= _UNWISE)
        floors[:, _PAUSE] = np.where(unwise, chosen.pause_floor, floors[:, _PAUSE])
        spare = 1 - floors.sum(axis=1, keepdims=True)
        return np.asarray(floors + spare * soft / soft.sum(axis=1, keepdims=True))

    def _confidence(self, view: View, greedy: NDArray[np.intp], mask: NDArray[np.bool_]) -> Floats:
        """Return the chance that the greedy arm gains, or that nothing else would matter."""
        worth, sure = self.settings.worth, np.zeros(len(greedy))
        for arm, times in enumerate(_TIMES):
            if arm == MAINTAIN:
                continue
            if arm == _PAUSE:
                sure = np.where(greedy == arm, view.hopeless, sure)
                continue
            # Less budget gains below this yield; more is right while the ad set as a whole pays.
            if times > 1:
                right = 1 - view.yields.below(times**ELASTICITIES / worth)
            else:
                right = view.yields.below((times - 1) / (worth * (times ** (1 - ELASTICITIES) - 1)))
            sure = np.where(greedy == arm, right, sure)
        slight = np.where(mask, view.gains, -np.inf)
        slight[:, [MAINTAIN, _PAUSE]] = -np.inf
        best = slight.max(axis=1)
        quiet = np.where(best < _SLIGHT, _EVEN, 0.0)
        return np.clip(np.where(greedy == MAINTAIN, quiet, sure), _LEAST_SURE, 1.0)

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
            memory = known.memory
            words |= {
                "ad_sets": asdict(known.kind),
                "decisions": known.decisions,
                "units": list(memory.units),
            }
            arrays = {name: getattr(memory, name) for name in ("owner", *_ARRAYS)}
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(**words["settings"])
        if arrays:
            memory = Memory(
                units=tuple(words["units"]),
                owner=arrays["owner"].astype(np.intp),
                **{name: arrays[name] for name in _ARRAYS},
            )
            policy._fitted = Fitted(Kind(**words["ad_sets"]), memory, words["decisions"])
        return policy


def _met(seen: Seen, memory: Memory | None) -> Floats:
    """Return how often people met each row's ad set in a day when it was first seen."""
    met = seen.repeats.copy()
    if memory is not None:
        number = memory.of_unit
        for row, unit in enumerate(seen.units):
            if unit in number:
                met[row] = memory.met[number[unit]]
    return met


def _better_siblings(seen: Seen, found: Yields) -> list[tuple[int, float]]:
    """Return (row, what siblings would buy per unit of its money) of the worst of each campaign.

    A campaign is the rows of one account that share a budget and spend of it.
    """
    campaigns: dict[tuple[str, str], list[int]] = {}
    for row, unit in enumerate(seen.units):
        if np.isfinite(seen.pool[row]) and seen.fresh_pace[row] > 0:
            shared = (unit.partition("|")[0], f"{seen.pool[row]:.4g}")
            campaigns.setdefault(shared, []).append(row)
    worst = []
    for rows in campaigns.values():
        if len(rows) < 2:  # noqa: PLR2004  # siblings are two or more
            continue
        row = min(rows, key=lambda one: float(found.mean[one]))
        others = np.array([one for one in rows if one != row])
        pace, moved = seen.fresh_pace[others], float(seen.fresh_pace[row])
        grown = (1 + moved / pace.sum()) ** (1 - found.elasticity[others]) - 1
        worst.append((row, float((pace * found.mean[others] * grown).sum() / moved)))
    return worst


def _joined(before: Memory, later: Memory) -> Memory:
    """Return both memories; of windows that overlap the earlier-learned stays."""
    units = tuple(sorted({*before.units, *later.units}))
    number = {unit: at for at, unit in enumerate(units)}
    met = np.ones(len(units))
    owners, rows = [], []
    last: dict[str, float] = {}
    for memory in (later, before):
        met[[number[unit] for unit in memory.units]] = memory.met
    for memory in (before, later):
        for at in np.argsort(memory.ended, kind="stable"):
            unit = memory.units[memory.owner[at]]
            if memory.ended[at] >= last.get(unit, -math.inf) + WINDOW_DAYS:
                last[unit] = float(memory.ended[at])
                owners.append(number[unit])
                rows.append((memory.ended[at], memory.spend[at], memory.results[at]))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Memory(units, met, np.array(owners, dtype=np.intp), *table.T)
