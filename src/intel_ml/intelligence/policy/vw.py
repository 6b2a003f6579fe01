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
says which arms it has not ruled out, never how sure it is: its confidence is chance.

Reads   states or a log of decisions.
Gives   `Policy`.
Never   keeps an example, or shares a workspace between threads without a lock.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import (
    InvalidValueError,
    ModelRefusedError,
    NotEnoughDataError,
    UnknownNameError,
)
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import context, drawing, evidence, explain, files
from intel_ml.intelligence.policy.protocol import Choices
from intel_ml.intelligence.policy.settings import FLOOR, Drawing, checked

if TYPE_CHECKING:
    import pandas as pd

NAME = "vw"
REGCB, REGCB_OPTIMISTIC, SQUARECB = "regcb", "regcbopt", "squarecb"
_EXPLORATIONS = (REGCB, REGCB_OPTIMISTIC, SQUARECB)
_COST_RANGE = "--cb_min_cost -1 --cb_max_cost 0"
_HALF = 3.0
_LEAST = 1e-6
_MOST_TIMES = 2.0


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


class Policy:
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
    def features(self) -> tuple[str, ...]:
        """The features it reads; before the first log, those it would like to."""
        if self._fitted is not None:
            return self._fitted.context.features
        return context.DEFAULT_FEATURES if self._asked is None else self._asked

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels it learned from; empty before the first log."""
        return () if self._fitted is None else self._fitted.context.entity_types

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
        else:
            fixed, scale = known.context, known.reward
        log = evidence.with_pauses(log)
        arms = evidence.arms(log)
        rewards = scale.scaled(log["reward"].to_numpy(dtype=np.float64))
        weights = evidence.weights(log, clip=self.settings.weight_clip)
        vectors = context.of_log(fixed, log)
        lines = _lessons(vectors, arms, -(rewards + _HALF) / (2 * _HALF), _times(weights))
        counts = np.bincount(arms, minlength=len(ARMS)).astype(np.float64)
        self._replace(
            Fitted(
                context=fixed,
                reward=scale,
                counts=counts if known is None else known.counts + counts,
                model=_taught(lines, None if known is None else known.model, self.settings.flags),
            )
        )
        return self

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
            arrays = known.context.arrays_to_save()
            arrays |= {"counts": known.counts, "model": known.model}
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            policy._replace(
                Fitted(
                    context=context.loaded(words, arrays),
                    reward=evidence.RewardScale(**words["reward"]),
                    counts=arrays["counts"],
                    model=arrays["model"],
                )
            )
        return policy

    def _shares(self, vectors: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return VowpalWabbit's own pmf, (n, 6): only what is allowed is asked about."""
        shares = np.zeros(mask.shape)
        with self._one_at_a_time:
            for row, (shared, open_) in enumerate(zip(_shared(vectors), mask, strict=True)):
                arms = np.flatnonzero(open_)
                found = self._workspace.predict([shared, *(_ACTIONS[arm] for arm in arms)])
                chances = np.maximum(np.nan_to_num(found), 0.0)
                shares[row, arms] = chances / max(chances.sum(), _LEAST)
        return shares

    def _replace(self, fitted: Fitted | None) -> None:
        """Take another model, whole: nobody is answered by half of it."""
        fresh = None if fitted is None else _workspace("-t", fitted.model)
        with self._one_at_a_time:
            before, self._workspace, self._fitted = self._workspace, fresh, fitted
            if before is not None:
                before.finish()


def _action(arm: Arm) -> str:
    percent = ARM_PERCENT[arm]
    words = [f"is_{arm.value}"]
    if percent is not None:
        words += ["scale" if percent > 0 else "reduce", f"change:{percent / 100:g}"]
    return "|a " + " ".join(words)


_ACTIONS = tuple(_action(arm) for arm in ARMS)


def _shared(vectors: NDArray[np.float64]) -> Iterator[str]:
    """Yield each context as a line; zeros say nothing and are left out."""
    if not np.isfinite(vectors).all():
        raise InvalidValueError(path="context", problem="holds numbers that are not finite")
    for vector in vectors.tolist():
        told = [f"{at}:{value:.6g}" for at, value in enumerate(vector) if value]
        yield "shared |s " + " ".join(told)


def _lessons(
    vectors: NDArray[np.float64],
    arms: NDArray[np.intp],
    costs: NDArray[np.float64],
    times: NDArray[np.intp],
) -> Iterator[str]:
    """Yield each decision as the lines VowpalWabbit reads, as often as it is to be told."""
    tails = [
        [("\n".join(_ACTIONS[:arm]) + "\n") if arm else "", "\n".join(_ACTIONS[arm:]) + "\n\n"]
        for arm in range(len(ARMS))
    ]
    rows = zip(_shared(vectors), arms.tolist(), costs.tolist(), times.tolist(), strict=True)
    for shared, arm, cost, count in rows:
        before, after = tails[arm]
        yield f"{shared}\n{before}0:{cost:.6g}:1 {after}" * count


def _times(weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return how often each row is told: in proportion to its weight, twice in the mean at most.

    >>> _times(np.array([1.0, 2.5, 2.5, 1.0])).tolist()
    [1, 2, 3, 1]
    """
    shares = weights / weights.mean()
    shares = shares * min(1.0 / shares.min(), _MOST_TIMES)
    told = np.floor(np.cumsum(shares) + _LEAST)
    return np.asarray(np.diff(told, prepend=0.0), dtype=np.intp)


def _taught(
    lessons: Iterator[str], model: NDArray[np.uint8] | None, flags: str
) -> NDArray[np.uint8]:
    """Return the model after these lessons; VowpalWabbit reads them itself, from a file."""
    from vowpalwabbit import Workspace  # noqa: PLC0415  # native, and only where it is asked for

    with tempfile.TemporaryDirectory() as folder:
        data, before, after = (Path(folder) / name for name in ("log", "before", "after"))
        with data.open("w", encoding="ascii") as file:
            file.writelines(lessons)
        start = flags
        if model is not None:
            before.write_bytes(model.tobytes())
            start = f"-i {before}"
        workspace = Workspace(f"--quiet {start} -d {data} -f {after}")
        workspace.finish()
        return np.frombuffer(after.read_bytes(), dtype=np.uint8)


def _workspace(flags: str, model: NDArray[np.uint8]) -> Any:
    from vowpalwabbit import Workspace  # noqa: PLC0415  # native, and only where it is asked for

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(model.tobytes())
        try:
            return Workspace(f"--quiet {flags} -i {path}")
        except RuntimeError as error:
            raise ModelRefusedError(f"VowpalWabbit cannot read its model ({error}).") from error
