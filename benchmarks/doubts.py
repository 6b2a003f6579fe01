"""What could fool the judges: worlds that nothing was tuned on.

Equal policies where rewards have heavy tails, contexts come in seasons, outcomes are alike from day
to day, probabilities are wrong by a tenth or very small; champions that turn bad after good weeks;
rewards beyond the bounds; a handful of held-out units; intervals of skewed rewards. The worst of
each is a row. Takes about a minute; progress goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.learning.evaluation import dr, dr_os, e_process, online, snips, support, switch_dr
from intel_ml.learning.evaluation.e_process import Bounds, Duel, Foresight
from intel_ml.learning.evaluation.intervals import of_share
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.tails import tails
from intel_ml.learning.rewards import Units, effect

Matrix = NDArray[np.float64]

_RUNS, _DECISIONS, _GROUPS, _ARMS, _A_DAY = 300, 3000, 4, 6, 50
_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class _World:
    """Decisions of an incumbent, and what a candidate likes; rewards are made of it."""

    random: np.random.Generator
    contexts: NDArray[np.intp]
    actions: NDArray[np.intp]
    chances: Matrix
    likes: Matrix

    @property
    def is_liked(self) -> NDArray[np.bool_]:
        return np.asarray(self.actions == self.likes.argmax(axis=1))

    def noise(self, spread: float) -> Matrix:
        return self.random.normal(0, spread, len(self.actions))


def _heavy(world: _World) -> Matrix:
    return 0.4 * world.random.standard_t(2, len(world.actions))


def _unlike(world: _World) -> Matrix:
    return np.asarray(world.noise(0.4) + np.where(world.contexts < 2, 0.3, -0.3) * world.is_liked)


def _levels(world: _World) -> Matrix:
    return np.asarray(world.noise(0.3) + np.array([-0.8, -0.3, 0.2, 0.7])[world.contexts])


def _alike(world: _World) -> Matrix:
    shocks = np.concatenate([[0.0], world.noise(0.1).cumsum()])
    ends = np.arange(len(world.actions)) + 1
    return np.asarray(world.noise(0.3) + shocks[ends] - shocks[np.maximum(ends - 72, 0)])


def _zero_or_one(world: _World) -> Matrix:
    return (world.random.random(len(world.actions)) < 0.4).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Case:
    """Rewards of equal value, and how decisions were made."""

    rewards: Callable[[_World], Matrix]
    floor: float = 0.05
    arms: int = _ARMS
    is_certain: bool = False
    season: int = 0
    wrong: float = 0.0
    late: float = 0.0


_EQUAL = {
    "0 or 1": _Case(_zero_or_one),
    "heavy tails": _Case(_heavy),
    "unlike contexts": _Case(_unlike),
    "seasons of 60": _Case(_unlike, season=60),
    "seasons of 200": _Case(_unlike, season=200),
    "alike for 72 decisions": _Case(_alike),
    "outcomes 150 decisions late": _Case(_levels, late=150.0),
    "probabilities a tenth off": _Case(_levels, wrong=0.1),
    "probabilities of .001": _Case(_levels, floor=0.001),
    "a candidate without chance": _Case(_levels, is_certain=True),
    "two arms": _Case(_levels, arms=2),
    "twelve arms": _Case(_levels, arms=12, floor=0.02),
}


def measure() -> Iterator[Row]:
    """Yield the worst of each kind."""
    yield from _false_alarms()
    yield from _turning()
    yield _beyond()
    yield _few_held_out()
    yield from _intervals()


def _false_alarms() -> Iterator[Row]:
    found = {}
    for name, case in _EQUAL.items():
        duels = [_judged(case, np.random.default_rng([17, run])) for run in range(_RUNS)]
        found[name] = (
            sum(duel.better.has_crossed for duel in duels),
            sum(duel.worse.has_crossed for duel in duels),
        )
        sys.stderr.write(f"\rdoubts: {name:<30}")
    sys.stderr.write("\n")
    for side, what in enumerate(("promotion", "demotion")):
        worst = max(found, key=lambda name: found[name][side])
        span = of_share(found[worst][side], _RUNS)
        mean = np.mean([one[side] for one in found.values()]) / _RUNS
        yield quality(
            f"doubts: false {what}, worst of {len(found)} worlds of equal value",
            100 * span.value,
            mark="≤ 5 %",
            note=f"%, in '{worst}' ({100 * span.low:.1f} to {100 * span.high:.1f}); "
            f"{100 * mean:.1f} on average, looked at after every one of {_DECISIONS:,} decisions",
            digits=2,
        )


def _world(case: _Case, random: np.random.Generator, decisions: int = _DECISIONS) -> _World:
    contexts = random.integers(0, _GROUPS, decisions)
    if case.season:
        contexts = 2 * ((np.arange(decisions) // case.season) % 2) + random.integers(
            0, 2, decisions
        )
    chances = np.full((decisions, case.arms), case.floor)
    chances[:, 0] = 1.0 - case.floor * (case.arms - 1)
    others = 0.0 if case.is_certain else 0.1 / (case.arms - 1)
    likes = np.full((decisions, case.arms), others)
    likes[np.arange(decisions), 1 + contexts % (case.arms - 1)] = 1.0 - others * (case.arms - 1)
    actions = (random.random((decisions, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    actions = actions.clip(0, case.arms - 1).astype(np.intp)
    return _World(random, contexts.astype(np.intp), actions, chances, likes)


def _judged(case: _Case, random: np.random.Generator) -> Duel:
    world = _world(case, random)
    rows, told = np.arange(_DECISIONS), world.chances.copy()
    if case.wrong:
        told[rows, world.likes.argmax(axis=1)] *= 1.0 - case.wrong
        told /= told.sum(axis=1, keepdims=True)
    log = LoggedDecisions(
        told[rows, world.actions], case.rewards(world), world.actions, world.likes
    )
    order = np.argsort(rows + random.exponential(case.late, _DECISIONS)) if case.late else rows
    log, told, contexts = log.take(order.tolist()), told[order], world.contexts[order]
    return e_process.duel(log, None, foresight=_foresight(log, told, contexts), bounds=_BOUNDS)


def _foresight(log: LoggedDecisions, told: Matrix, contexts: NDArray[np.intp]) -> Foresight:
    unit = _BOUNDS.unit(log.rewards)
    arms = told.shape[1]
    return Foresight(told, online.cells(contexts, log.actions, unit, arms=arms, start=0.5))


def _turning() -> Iterator[Row]:
    """Yield how long a champion whose favourites earned .2 more, then .2 less, was kept."""
    for good in (0, 10, 30):
        days = np.array([_until_demoted(good, seed) for seed in range(60)])
        yield quality(
            f"doubts: days until a champion that turned bad after {good} good ones is demoted",
            float(np.median(days)),
            mark="≤ 14",
            note=f"{_A_DAY} decisions a day; {np.isfinite(days).mean():.0%} within 40; without new "
            "beginnings 4, 21 and never",
            digits=1,
        )


def _until_demoted(good: int, seed: int) -> float:
    random = np.random.default_rng([18, seed])
    world = _world(_Case(_zero_or_one), random, decisions=(good + 40) * _A_DAY)
    rows = np.arange(len(world.actions))
    told = 0.5 * (world.chances + world.likes)
    actions = (random.random((len(rows), 1)) > told.cumsum(axis=1)).sum(axis=1).clip(0, 5)
    turned = np.where(rows < good * _A_DAY, 0.2, -0.2) * (actions == world.likes.argmax(axis=1))
    rewards = (random.random(len(rows)) < 0.4 + turned).astype(np.float64)
    log = LoggedDecisions(told[rows, actions], rewards, actions.astype(np.intp), world.likes)
    foresight = Foresight(
        told, online.cells(world.contexts, log.actions, rewards, arms=_ARMS, start=0.5)
    )
    rival = replace(log, pmf_new=world.chances)
    worse = e_process.duel(log, rival, foresight=foresight, bounds=Bounds(0.0, 1.0)).worse
    return np.inf if worse.crossed_at is None else worse.crossed_at / _A_DAY - good


def _beyond() -> Row:
    """Return how often a rare great gain of the champion is overlooked."""
    alone = both = 0
    for seed in range(100):
        random = np.random.default_rng([19, seed])
        world = _world(_Case(_levels), random)
        gain = np.where(random.random(_DECISIONS) < 0.02, 10.0, -10.0 * 0.02 / 0.98)
        rewards = np.where(world.actions == 0, gain, world.noise(0.3))
        rows = np.arange(_DECISIONS)
        log = LoggedDecisions(
            world.chances[rows, world.actions], rewards, world.actions, world.likes
        )
        foresight = _foresight(log, world.chances, world.contexts)
        crossed = e_process.duel(log, None, foresight=foresight, bounds=_BOUNDS).better.has_crossed
        gains = log.weights * rewards - rewards
        alone += crossed
        both += crossed and not tails(gains, rewards, bounds=_BOUNDS).could_hide_a_loss
    return quality(
        "doubts: false promotion where the champion's rare gains lie beyond the bounds",
        float(both),
        mark="≤ 5 %",
        note=f"%, 100 runs; {alone} % by bets on clipped rewards alone",
        digits=1,
    )


def _few_held_out() -> Row:
    found = {}
    for held_out in (3, 5, 10, 20):
        covered = 0
        for seed in range(400):
            random = np.random.default_rng([20, seed])
            level = random.normal(0, 1, 100 + held_out)
            after = level + random.normal(0, 1, len(level))
            treated = np.arange(len(level)) < 100
            one = effect(
                Units(after[treated].tolist(), level[treated].tolist()),
                Units(after[~treated].tolist(), level[~treated].tolist()),
            )
            covered += one is not None and one.low <= 0.0 <= one.high
        found[held_out] = covered / 400
    worst = min(found, key=lambda held_out: found[held_out])
    return quality(
        "doubts: coverage of an effect's interval with 3 to 20 held out, the worst",
        100 * found[worst],
        mark="≥ 92 %",
        note=f"%, promised 95, with {worst} beside 100 treated; "
        + ", ".join(f"{held}: {share:.0%}" for held, share in found.items()),
        digits=1,
    )


def _intervals() -> Iterator[Row]:
    estimators = {"SNIPS": snips, "DR": dr, "DR-os": dr_os, "Switch-DR": switch_dr}
    hits: dict[tuple[str, str], list[bool]] = {}
    for kind in ("0 or 1", "exponential"):
        for seed in range(_RUNS):
            random = np.random.default_rng([21, seed])
            world = _world(_Case(_zero_or_one, floor=0.1), random, decisions=800)
            means = random.uniform(0.1, 0.6, (_GROUPS, _ARMS))
            liked = means[world.contexts, world.actions]
            drawn = random.random(800) < liked if kind == "0 or 1" else random.exponential(liked)
            log = LoggedDecisions(
                world.chances[np.arange(800), world.actions],
                drawn.astype(np.float64),
                world.actions,
                world.likes,
                means[world.contexts] * random.uniform(0.7, 1.3, _ARMS),
            )
            if not support.support(log).is_enough:
                continue
            likes = np.array([world.likes[world.contexts == g][0] for g in range(_GROUPS)])
            true = float((likes * means).sum(axis=1).mean())
            for name, estimator in estimators.items():
                one = estimator.estimate(log)
                hits.setdefault((name, kind), []).append(one.low <= true <= one.high)
    worst = min(hits, key=lambda key: float(np.mean(hits[key])))
    yield quality(
        "doubts: coverage of estimators' intervals, the worst",
        100 * float(np.mean(hits[worst])),
        mark="≥ 92 %",
        note=f"%, promised 95: {worst[0]}, rewards {worst[1]}, {len(hits[worst])} logs of 800 with "
        "enough support",
        digits=1,
    )
