"""The bake-off: classification played as a bandit, by our learner and by its peers.

A round shows one row of a standardised set, the learner picks a class and is told only whether it
was right; the progressive loss is the mean of wrong picks over min(rows, 2,500) rounds, averaged
over 5 seeded shuffles. Everyone has one fixed setting for all sets: ours is `learner.CURVED`, found
on other shuffles; mabwiser's is LinUCB(.1), VowpalWabbit's is RegCB-optimistic with mellowness .001
(Bietti, Agarwal & Langford, 2021, JMLR 22:133). `python -m benchmarks.bakeoff` prints every set.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.intelligence.policy.learner import CURVED, Learner

_ROUNDS = 2_500
_SHUFFLES = range(5)
_MARK = "≤ .095"
_LINUCB_ALPHA = 0.1
_REGCB = (
    "--quiet --cb_explore_adf --regcbopt --mellowness 0.001 "
    "--cb_min_cost -1 --cb_max_cost 0 -q sa --ignore_linear s --random_seed 1"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A standardised set: rows, and the class of each."""

    name: str
    rows: NDArray[np.float64]
    classes: NDArray[np.intp]

    @property
    def arms(self) -> int:
        """How many classes there are."""
        return int(self.classes.max()) + 1


Player = Callable[[Labelled, int], float]


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark; about a minute, most of it the peers'."""
    ours = losses(_ours)
    peers = {"mabwiser LinUCB(.1)": losses(_mabwiser), "VW regcbopt": losses(_vw)}
    means = {name: float(np.mean(list(found.values()))) for name, found in peers.items()}
    beside = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
    yield quality(
        f"bake-off: mean progressive loss on {len(ours)} sets, 5 shuffles",
        float(np.mean(list(ours.values()))),
        mark=_MARK,
        note=f"known best .101; in this run {beside}",
        digits=4,
    )
    for name, loss in ours.items():
        others = ", ".join(f"{peer} {found[name]:.3f}" for peer, found in peers.items())
        yield quality(f"bake-off: {name}", loss, mark="", note=others)


def losses(play: Player) -> dict[str, float]:
    """Return a player's mean progressive loss on each set."""
    return {
        labelled.name: float(np.mean([play(labelled, shuffle) for shuffle in _SHUFFLES]))
        for labelled in sets()
    }


@functools.cache
def sets() -> tuple[Labelled, ...]:
    """Return the seven sets."""
    from river import datasets as streams  # noqa: PLC0415  # slow to load
    from sklearn import datasets  # noqa: PLC0415

    found = []
    for name in ("digits", "breast_cancer", "wine", "iris"):
        loaded = getattr(datasets, f"load_{name}")()
        found.append(_standardised(name, loaded.data, loaded.target))
    for name, kind in (
        ("segment", streams.ImageSegments),
        ("phishing", streams.Phishing),
        ("banana", streams.Bananas),
    ):
        pairs = list(kind())
        keys = sorted(pairs[0][0])
        values = np.array([[float(row[key]) for key in keys] for row, _ in pairs])
        found.append(_standardised(name, values, np.array([str(label) for _, label in pairs])))
    return tuple(found)


def _standardised(name: str, rows: NDArray[Any], labels: NDArray[Any]) -> Labelled:
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Labelled(name, scaled, np.unique(labels, return_inverse=True)[1].astype(np.intp))


def _shuffled(labelled: Labelled, shuffle: int) -> tuple[NDArray[np.float64], list[int]]:
    order = np.random.default_rng(shuffle).permutation(len(labelled.rows))[:_ROUNDS]
    return labelled.rows[order], labelled.classes[order].tolist()


def _ours(labelled: Labelled, shuffle: int) -> float:
    rows, classes = _shuffled(labelled, shuffle)
    vectors = np.column_stack([np.ones(len(rows)), rows])
    learner = Learner(inputs=rows.shape[1], arms=labelled.arms, settings=CURVED)
    wrong = 0
    for vector, right in zip(vectors, classes, strict=True):
        arm = int(learner.scores(vector).argmax())
        wrong += arm != right
        learner.learn(vector, arm=arm, reward=float(arm == right))
    return wrong / len(classes)


def _mabwiser(labelled: Labelled, shuffle: int) -> float:
    from mabwiser.mab import MAB, LearningPolicy  # noqa: PLC0415  # slow to load

    rows, classes = _shuffled(labelled, shuffle)
    rows = np.column_stack([np.ones(len(rows)), rows])
    bandit = MAB(list(range(labelled.arms)), LearningPolicy.LinUCB(alpha=_LINUCB_ALPHA), seed=1)
    wrong = 0
    for at, right in enumerate(classes):
        row = rows[at : at + 1]
        # It has to have seen something before it can be asked.
        arm = bandit.predict(row) if at else 0
        wrong += arm != right
        bandit.partial_fit([arm], [int(arm == right)], row)
    return wrong / len(classes)


def _vw(labelled: Labelled, shuffle: int) -> float:
    from vowpalwabbit import Workspace  # noqa: PLC0415  # slow to load

    rows, classes = _shuffled(labelled, shuffle)
    workspace = Workspace(_REGCB)
    arms = [f"|a arm={arm}" for arm in range(labelled.arms)]
    wrong = 0
    try:
        for row, right in zip(rows, classes, strict=True):
            shared = "shared |s " + " ".join(f"f{at}:{x:.6g}" for at, x in enumerate(row))
            chances = workspace.predict([shared, *arms])
            arm = int(np.argmax(chances))
            wrong += arm != right
            paid = f"0:{-float(arm == right)}:{max(chances[arm], 1e-3):.6g} {arms[arm]}"
            workspace.learn([shared, *arms[:arm], paid, *arms[arm + 1 :]])
    finally:
        workspace.finish()
    return wrong / len(classes)


if __name__ == "__main__":
    for one in measure():
        print(f"{one.what:60} {one.p50:>8} {one.mark:8} {one.note}")
