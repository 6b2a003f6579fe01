"""The bake-off: classification played as a bandit, by our learner and by its peers.

A round shows one row of a standardised set, the learner picks a class and is told only whether it
was right; the progressive loss is the mean of wrong picks over min(rows, 2,500) rounds, averaged
over 5 seeded shuffles. Everyone has one fixed setting for all sets: ours is `learner.CURVED`, found
on other shuffles and on made sets (`unseen` says which); mabwiser's is LinUCB(.1), VowpalWabbit's
is RegCB-optimistic with mellowness .001 (Bietti, Agarwal & Langford, 2021, JMLR 22:133).
`python -m benchmarks.bakeoff` prints every set.
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
    """A standardised set: rows, and the class of each.

    Where it `drifts` each class answers to the next one's name from the middle of the rounds on.
    """

    name: str
    rows: NDArray[np.float64]
    classes: NDArray[np.intp]
    drifts: bool = False

    @property
    def arms(self) -> int:
        """How many classes there are."""
        return int(self.classes.max()) + 1


#: What a player takes: rows, the class of each, how many classes there are.
Player = Callable[[NDArray[np.float64], list[int], int], float]


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark; about a minute, most of it the peers'."""
    (_, ours), *others = ((name, losses(player)) for name, player in PLAYERS.items())
    peers = dict(others)
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
        beside = ", ".join(f"{peer} {found[name]:.3f}" for peer, found in peers.items())
        yield quality(f"bake-off: {name}", loss, mark="", note=beside)


def losses(player: Player) -> dict[str, float]:
    """Return a player's mean progressive loss on each set."""
    return {labelled.name: play(player, labelled) for labelled in sets()}


def play(
    player: Player, labelled: Labelled, *, shuffles: range = _SHUFFLES, rounds: int = _ROUNDS
) -> float:
    """Return a player's mean progressive loss on one set."""
    found = []
    for shuffle in shuffles:
        order = np.random.default_rng(shuffle).permutation(len(labelled.rows))[:rounds]
        classes = labelled.classes[order]
        if labelled.drifts:
            classes[len(order) // 2 :] = (classes[len(order) // 2 :] + 1) % labelled.arms
        found.append(player(labelled.rows[order], classes.tolist(), labelled.arms))
    return float(np.mean(found))


@functools.cache
def sets() -> tuple[Labelled, ...]:
    """Return the seven sets."""
    from river import datasets as streams  # noqa: PLC0415  # slow to load
    from sklearn import datasets  # noqa: PLC0415

    found = []
    for name in ("digits", "breast_cancer", "wine", "iris"):
        loaded = getattr(datasets, f"load_{name}")()
        found.append(standardised(name, loaded.data, loaded.target))
    for name, kind in (
        ("segment", streams.ImageSegments),
        ("phishing", streams.Phishing),
        ("banana", streams.Bananas),
    ):
        pairs = list(kind())
        keys = sorted(pairs[0][0])
        values = np.array([[float(row[key]) for key in keys] for row, _ in pairs])
        found.append(standardised(name, values, np.array([str(label) for _, label in pairs])))
    return tuple(found)


def standardised(name: str, rows: NDArray[Any], labels: NDArray[Any]) -> Labelled:
    """Return a set whose columns have mean 0 and spread 1."""
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Labelled(name, scaled, np.unique(labels, return_inverse=True)[1].astype(np.intp))


def _ours(rows: NDArray[np.float64], classes: list[int], arms: int) -> float:
    vectors = np.column_stack([np.ones(len(rows)), rows])
    learner = Learner(inputs=rows.shape[1], arms=arms, settings=CURVED)
    wrong = 0
    for vector, right in zip(vectors, classes, strict=True):
        arm = int(learner.scores(vector).argmax())
        wrong += arm != right
        learner.learn(vector, arm=arm, reward=float(arm == right))
    return wrong / len(classes)


def _mabwiser(rows: NDArray[np.float64], classes: list[int], arms: int) -> float:
    from mabwiser.mab import MAB, LearningPolicy  # noqa: PLC0415  # slow to load

    rows = np.column_stack([np.ones(len(rows)), rows])
    bandit = MAB(list(range(arms)), LearningPolicy.LinUCB(alpha=_LINUCB_ALPHA), seed=1)
    wrong = 0
    for at, right in enumerate(classes):
        row = rows[at : at + 1]
        # It has to have seen something before it can be asked.
        arm = bandit.predict(row) if at else 0
        wrong += arm != right
        bandit.partial_fit([arm], [int(arm == right)], row)
    return wrong / len(classes)


def _vw(rows: NDArray[np.float64], classes: list[int], arms: int) -> float:
    from vowpalwabbit import Workspace  # noqa: PLC0415  # slow to load

    workspace = Workspace(_REGCB)
    told = [f"|a arm={arm}" for arm in range(arms)]
    wrong = 0
    try:
        for row, right in zip(rows, classes, strict=True):
            shared = "shared |s " + " ".join(f"f{at}:{x:.6g}" for at, x in enumerate(row))
            chances = workspace.predict([shared, *told])
            arm = int(np.argmax(chances))
            wrong += arm != right
            paid = f"0:{-float(arm == right)}:{max(chances[arm], 1e-3):.6g} {told[arm]}"
            workspace.learn([shared, *told[:arm], paid, *told[arm + 1 :]])
    finally:
        workspace.finish()
    return wrong / len(classes)


#: Ours first.
PLAYERS: dict[str, Player] = {
    "ours": _ours,
    "mabwiser LinUCB(.1)": _mabwiser,
    "VW regcbopt": _vw,
}


if __name__ == "__main__":
    for one in measure():
        print(f"{one.what:60} {one.p50:>8} {one.mark:8} {one.note}")
