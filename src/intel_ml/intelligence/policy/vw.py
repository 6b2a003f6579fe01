"""VowpalWabbit's contextual bandit with action features: `cb_explore_adf`, RegCB or SquareCB.

    cost = -(clip(scaled reward, -3, 3) + 3) / 6,  in [-1, 0]
    pmf  = floor + (1 - k floor) p_vw              for k allowed arms, else 0

`regcb` gives arms it has not ruled out the same chance, `regcbopt` takes the most optimistic one
(Foster et al., 2018, ICML), `squarecb` draws by the inverse gap of predicted costs (Foster &
Rakhlin, 2020, ICML). An arm is its name, its kind and its change of budget; contexts act only
through their products with these (`-q sa`, plain context ignored), or every arm would look alike.
RegCB and SquareCB overlook p(executed) and the text format has no weight for such examples, so a
row is told as often as it weighs (1/p, clipped): the lightest once, unless that would more than
double the log; fractions are carried to the next row.

VowpalWabbit calls an arm it has ruled out impossible; the floor is mixed in before anyone draws,
and the mixed pmf is what is given and logged. It takes NaN, infinity and garbage in silence:
nothing but finite vectors is written for it. Its model is kept as its own bytes; examples go in as
text and are never held.

When it misleads: at hundreds to thousands of decisions plain VowpalWabbit loses to `ridge`. RegCB
says which arms it has not ruled out, never how sure it is: its confidence is chance. What an arm
earns beside leaving alone, and how far that may be off, is told by `replays`.

Reads   states or a log of decisions.
Gives   `Policy`.
Never   keeps an example, or shares a workspace between threads without a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import (
    InvalidValueError,
    NotEnoughDataError,
    UnknownNameError,
)
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import cases, context, drawing, evidence, explain, files
from intel_ml.intelligence.policy.protocol import MAINTAIN, Choices, Gains
from intel_ml.intelligence.policy.replays import MODELS, Lessons, Replays
from intel_ml.intelligence.policy.settings import FLOOR, Drawing, checked
from intel_ml.intelligence.policy.vw_lines import (
    ACTIONS,
    lessons,
    shared_lines,
    taught,
    times_told,
    workspace,
)

if TYPE_CHECKING:
    import pandas as pd

NAME = "vw"
REGCB, REGCB_OPTIMISTIC, SQUARECB = "regcb", "regcbopt", "squarecb"
_EXPLORATIONS = (REGCB, REGCB_OPTIMISTIC, SQUARECB)
_COST_RANGE = "--cb_min_cost -1 --cb_max_cost 0"
_HALF = 3.0
#: Executed less often than this, an arm's gain is not known.
_SEEN = 8
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Settings:
    """How it explores (`regcb`, `regcbopt`, `squarecb`), how fast it learns, how it is floored."""

    exploration: str = SQUARECB
    mellowness: float = 0.001
    gamma_scale: float = 10.0
    learning_rate: float = 0.5
    weight_clip: float = 10.0
    seed: int = 0
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if self.exploration not in _EXPLORATIONS:
            raise UnknownNameError(kind="exploration", name=self.exploration, known=_EXPLORATIONS)
        for name in ("mellowness", "gamma_scale", "learning_rate"):
            if getattr(self, name) <= 0:
                raise InvalidValueError(path=name, problem="must be above 0")
        if self.weight_clip < 1:
            raise InvalidValueError(path="weight_clip", problem="must not be below 1")
        Drawing(floor=self.floor)

    @property
    def flags(self) -> str:
        """The flags of a new model; a saved one brings its own."""
        explore = {
            REGCB: f"--regcb --mellowness {self.mellowness} {_COST_RANGE}",
            REGCB_OPTIMISTIC: f"--regcbopt --mellowness {self.mellowness} {_COST_RANGE}",
            SQUARECB: f"--squarecb --gamma_scale {self.gamma_scale} {_COST_RANGE}",
        }[self.exploration]
        return (
            f"--cb_explore_adf {explore} -q sa --ignore_linear s "
            f"-l {self.learning_rate} --random_seed {self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned: VowpalWabbit's model as its own bytes, and how rows are written for it."""

    context: context.Context
    reward: evidence.RewardScale
    counts: NDArray[np.float64]
    model: NDArray[np.uint8]
    cases: cases.Cases
    replays: Replays


class Policy(context.Reading, cases.Recalling):
    """`Policy(exploration="squarecb", features=[...]).fit(log)`; see `Settings` for more."""

    name = NAME

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float | str) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._fitted: Fitted | None = None
        self._workspace: Any = None
        self._one_at_a_time = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to make its own: neither lock nor workspace."""
        return {"settings": self.settings, "asked": self._asked, "fitted": self._fitted}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what `__getstate__` gave, and a workspace of its own."""
        self.settings, self._asked = state["settings"], state["asked"]
        self._fitted, self._workspace = None, None
        self._one_at_a_time = threading.Lock()
        self._replace(state["fitted"])

    @property
    def counts(self) -> dict[Arm, int]:
        """How many decisions it learned from, by arm."""
        seen = np.zeros(len(ARMS)) if self._fitted is None else self._fitted.counts
        return {arm: int(n) for arm, n in zip(ARMS, seen, strict=True)}

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms; before any log, chance that prefers `maintain`."""
        mask = drawing.mask_of(allowed, len(states))
        known = self._fitted
        if known is None:
            shares = mask / mask.sum(axis=1, keepdims=True)
        else:
            shares = self._shares(known.context.of_states(states), mask)
        greedy = drawing.best(shares, mask)
        sure = shares[np.arange(len(shares)), greedy]
        if self.settings.exploration != SQUARECB:
            sure = 1.0 / mask.sum(axis=1)
        return drawing.choices(
            drawing.floored(shares, mask, self.settings.floor), keys, greedy=greedy, confidence=sure
        )

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._replace(None)
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions, in the order given; rows without a reward don't teach."""
        log = evidence.rewarded(log)
        known = self._fitted
        if log.empty:
            if known is None:
                raise NotEnoughDataError(quantity="decisions with a reward", needed=1, seen=0)
            return self
        if known is None:
            fixed = context.learned(log, self._asked)
            scale = evidence.reward_scale(log["reward"].to_numpy(dtype=np.float64))
            remembered = cases.empty(fixed).learned(log)
        else:
            fixed, scale = known.context, known.reward
            remembered = known.cases.learned(log)
        log = evidence.with_pauses(log)
        arms = evidence.arms(log)
        rewards = scale.scaled(log["reward"].to_numpy(dtype=np.float64))
        weights = evidence.weights(log, clip=self.settings.weight_clip)
        vectors = context.of_log(fixed, log)
        costs, times = -(rewards + _HALF) / (2 * _HALF), times_told(weights)
        lines = lessons(vectors, arms, costs, times)
        named = log["entity_id"].astype(str).tolist() if "entity_id" in log else None
        replays = (Replays() if known is None else known.replays).learned(
            Lessons(vectors, arms, costs, times, named),
            rate=self.settings.learning_rate,
            seed=self.settings.seed,
        )
        counts = np.bincount(arms, minlength=len(ARMS)).astype(np.float64)
        self._replace(
            Fitted(
                context=fixed,
                reward=scale,
                counts=counts if known is None else known.counts + counts,
                model=taught(lines, None if known is None else known.model, self.settings.flags),
                cases=remembered,
                replays=replays,
            )
        )
        return self

    def gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond leaving things alone; see `replays`.

        Of an arm that was hardly executed, or where leaving alone hardly was, nothing is known.
        """
        known, nothing = self._fitted, np.zeros((len(states), len(ARMS)))
        if known is None:
            return Gains(nothing, np.full_like(nothing, np.inf))
        saved = known.replays.gains(known.context.of_states(states))
        unit = 2 * _HALF * known.reward.spread
        seen = known.counts >= _SEEN
        off = np.where(seen & seen[MAINTAIN], unit * saved.deviation, np.inf)
        off[:, MAINTAIN] = 0.0
        return Gains(unit * saved.value, off)

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return the plan's sentences that hold and the features that raise this arm's chance."""
        state = states.state(row)
        known = self._fitted
        if known is None:
            return explain.reasons(state, arm, [])
        parts = explain.contributions(
            known.context,
            states.take([row]),
            arm,
            scores=lambda vectors: self._shares(
                vectors, np.ones((len(vectors), len(ARMS)), dtype=np.bool_)
            ),
        )
        return explain.reasons(state, arm, parts)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`, VowpalWabbit's model in it as bytes."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= known.context.words_to_save() | {"reward": asdict(known.reward)}
            words |= known.cases.words_to_save()
            arrays = known.context.arrays_to_save() | known.cases.arrays_to_save()
            words["replayed"] = known.replays.told
            arrays |= {"counts": known.counts, "model": known.model}
            arrays |= {f"replay_{at}": one for at, one in enumerate(known.replays.models)}
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            fixed = context.loaded(words, arrays)
            policy._replace(
                Fitted(
                    context=fixed,
                    reward=evidence.RewardScale(**words["reward"]),
                    counts=arrays["counts"],
                    model=arrays["model"],
                    cases=cases.loaded(words, arrays, fixed),
                    replays=Replays(
                        tuple(arrays[f"replay_{at}"] for at in range(MODELS)), words["replayed"]
                    ),
                )
            )
        return policy

    def _shares(self, vectors: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return VowpalWabbit's own pmf, (n, 6): only what is allowed is asked about."""
        shares = np.zeros(mask.shape)
        with self._one_at_a_time:
            for row, (shared, open_) in enumerate(zip(shared_lines(vectors), mask, strict=True)):
                arms = np.flatnonzero(open_)
                found = self._workspace.predict([shared, *(ACTIONS[arm] for arm in arms)])
                chances = np.maximum(np.nan_to_num(found), 0.0)
                shares[row, arms] = chances / max(chances.sum(), _LEAST)
        return shares

    def _replace(self, fitted: Fitted | None) -> None:
        """Take another model, whole: nobody is answered by half of it."""
        fresh = None if fitted is None else workspace("-t", fitted.model)
        with self._one_at_a_time:
            before, self._workspace, self._fitted = self._workspace, fresh, fitted
            if before is not None:
                before.finish()
