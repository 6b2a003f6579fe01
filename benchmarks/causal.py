"""What rewards say of an action without effect, and how far they scatter.

300 units over 60 days: level, common walk and season, AR(1) noise. An action fires when the last
three days are a quarter worse than the eleven before, unless 15 % chance holds the unit out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.learning.rewards import Effect, Units, effect
from intel_ml.learning.shocks import day_effects

_RUNS, _UNITS, _DAYS, _HELD_OUT = 200, 300, 60, 0.15
_LEVEL, _WALK, _SEASON, _PERIOD, _PHI, _NOISE = 0.4, 0.03, 0.15, 30.0, 0.3, 0.3
_RECENT, _BASE, _TRIGGER, _BUSY, _AFTER = 3, 11, 0.25, 6, 3
_TRUE = -0.10


@dataclass(frozen=True, slots=True)
class _World:
    """Log-CPA (units, days); where and when each trigger fell, and whether it was acted on."""

    panel: NDArray[np.float64]
    clean: NDArray[np.bool_]
    unit: NDArray[np.intp]
    day: NDArray[np.intp]
    treated: NDArray[np.bool_]


def measure() -> Iterator[Row]:
    """Yield bias and scatter at zero effect, and whether a real effect is covered."""
    nothing = [_judged(seed, 0.0) for seed in range(_RUNS)]
    real = [_judged(seed, _TRUE) for seed in range(_RUNS)]
    naive = np.array([run.naive for run in nothing])
    yield quality(
        "causal: before/after at zero effect, log-CPA",
        float(naive.mean()),
        mark="",
        note=f"sd {naive.std(ddof=1):.3f}; known -.208: regression to the mean",
    )
    for name, known in (
        ("held-out units, no adjustment", "known -.001, sd .047"),
        ("held-out units, last days' level (ANCOVA)", "known +.003, sd .027"),
        ("held-out units, days and pre-periods", "the product's"),
    ):
        values = np.array([run.found[name].value for run in nothing])
        ours = known.startswith("the product")
        yield quality(
            f"causal: bias of {name}",
            float(values.mean()),
            mark="≤ .01" if ours else "",
            note=f"{known}; ± {values.std(ddof=1) / np.sqrt(_RUNS):.4f}, {_RUNS} runs",
            digits=4,
        )
        yield quality(
            f"causal: sd of {name}",
            float(values.std(ddof=1)),
            mark="≤ .027" if ours else "",
            note=f"{np.mean([r.held_share for r in nothing]):.1%} held out, by lot of 15 %",
            digits=4,
        )
    best = [run.found["held-out units, days and pre-periods"] for run in real]
    yield quality(
        f"causal: an effect of {_TRUE} is found as",
        float(np.mean([one.value for one in best])),
        mark="",
        note=f"95 % intervals cover it in {np.mean([e.low <= _TRUE <= e.high for e in best]):.0%}",
    )


@dataclass(frozen=True, slots=True)
class _Run:
    naive: float
    held_share: float
    found: dict[str, Effect]


def _judged(seed: int, true: float) -> _Run:
    world = _world(np.random.default_rng(seed), true)
    raw, last = _windows(world, world.panel)
    days = day_effects(world.panel, clean=world.clean)
    calm, level = _windows(world, world.panel - days)
    found = {
        "held-out units, no adjustment": _effect(world, raw, None),
        "held-out units, last days' level (ANCOVA)": _effect(world, raw, last[:, :1]),
        "held-out units, days and pre-periods": _effect(world, calm, level),
    }
    return _Run(
        naive=float((raw - last[:, 0])[world.treated].mean()),
        held_share=float((~world.treated).mean()),
        found={name: one for name, one in found.items() if one is not None},
    )


def _effect(
    world: _World, outcomes: NDArray[np.float64], before: NDArray[np.float64] | None
) -> Effect | None:
    def units(mine: NDArray[np.bool_]) -> Units:
        return Units(outcomes[mine].tolist(), None if before is None else before[mine].tolist())

    return effect(units(world.treated), units(~world.treated))


def _windows(
    world: _World, panel: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what came after each trigger, and what was before: three days, one, all of them."""
    after = [panel[u, d : d + _AFTER].mean() for u, d in zip(world.unit, world.day, strict=True)]
    before = [
        (panel[u, d - _RECENT : d].mean(), panel[u, d - 1], panel[u, :d].mean())
        for u, d in zip(world.unit, world.day, strict=True)
    ]
    return np.array(after), np.array(before)


def _world(random: np.random.Generator, true: float) -> _World:
    common = np.cumsum(random.normal(0, _WALK, _DAYS))
    common += _SEASON * np.sin(2 * np.pi * np.arange(_DAYS) / _PERIOD)
    noise = random.normal(0, _NOISE, (_UNITS, _DAYS))
    noise[:, 0] /= np.sqrt(1 - _PHI**2)
    for day in range(1, _DAYS):
        noise[:, day] += _PHI * noise[:, day - 1]
    panel = random.normal(0, _LEVEL, _UNITS)[:, None] + common + noise
    clean = np.ones((_UNITS, _DAYS), dtype=bool)
    free_from = np.zeros(_UNITS, dtype=np.intp)
    events = []
    for day in range(_RECENT + _BASE, _DAYS - _AFTER):
        recent = panel[:, day - _RECENT : day].mean(axis=1)
        base = panel[:, day - _RECENT - _BASE : day - _RECENT].mean(axis=1)
        for unit in np.flatnonzero((recent - base >= _TRIGGER) & (free_from <= day)):
            treated = random.random() >= _HELD_OUT
            panel[unit, day : day + _AFTER] += true * treated
            clean[unit, day : day + _BUSY] = False
            free_from[unit] = day + _BUSY
            events.append((unit, day, treated))
    units, days, treated_ = zip(*events, strict=True)
    return _World(
        panel,
        clean,
        np.array(units, dtype=np.intp),
        np.array(days, dtype=np.intp),
        np.array(treated_, dtype=bool),
    )
