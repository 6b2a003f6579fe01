"""A policy's value from a log where people overruled proposals: 3,000 decisions, 200 runs.

Four archetypes, six arms; a proposal is approved with a probability of its archetype and arm, more
often where it earns more, and a rejected one leaves the unit alone. Each run draws its own world.
Verdicts teach the probability of what was executed; nothing else of the truth is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.core.actions import ARMS
from intel_ml.intelligence.policy.protocol import MAINTAIN
from intel_ml.learning.evaluation import sensitivity, snips
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.propensity import transition, transitions

_RUNS, _DECISIONS, _GROUPS, _FLOOR = 200, 3000, 4, 0.05
#: How much the odds of approval follow what only people see, and how much the reward does.
_HIDDEN_ODDS, _HIDDEN_GAIN = 2.0, 0.1
_NAMES = {
    "proposal": "probability of the proposal alone",
    "approved": "approved rows only",
    "average": "executed, one average approval an account",
    "executed": "executed, approval by archetype and arm",
}
_KNOWN = {
    "proposal": "known -.0117",
    "approved": "known -.0043",
    "average": "",
    "executed": "known -.0003; the product's",
}


@dataclass(frozen=True, slots=True)
class _Truth:
    """One world: what is proposed, approved and earned, and what the candidate likes."""

    proposals: NDArray[np.float64]
    approval: NDArray[np.float64]
    means: NDArray[np.float64]
    candidate: NDArray[np.float64]

    @property
    def value(self) -> float:
        """What the candidate really earns a decision."""
        return float((self.candidate * self.means).sum(axis=1).mean())


@dataclass(frozen=True, slots=True)
class _Log:
    groups: NDArray[np.intp]
    proposed: NDArray[np.intp]
    executed: NDArray[np.intp]
    is_approved: NDArray[np.bool_]
    rewards: NDArray[np.float64]


def measure() -> Iterator[Row]:
    """Yield the bias of each way to count, then what hidden reasons do to the best of them."""
    worlds = [_truth(np.random.default_rng([1, run])) for run in range(_RUNS)]
    values = np.array([world.value for world in worlds])
    found = [_values(world, _log(world, run, hidden=False)) for run, world in enumerate(worlds)]
    for key, name in _NAMES.items():
        errors = np.array([one[key] for one in found]) - values
        yield quality(
            f"overrides: bias by {name}",
            float(errors.mean()),
            mark="±.003" if key == "executed" else "",
            note=f"{_KNOWN[key]} ± {errors.std(ddof=1) / np.sqrt(_RUNS):.4f}, {_RUNS} runs".strip(),
            digits=4,
        )
    logs = [_log(world, run, hidden=True) for run, world in enumerate(worlds)]
    moved = [_values(world, one)["executed"] for world, one in zip(worlds, logs, strict=True)]
    yield quality(
        "overrides: bias where people act on what isn't logged",
        float((np.array(moved) - values).mean()),
        mark="",
        note="known .010 to .015 either way, whatever the estimator",
        digits=4,
    )
    bounds = np.array(
        [
            sensitivity.value_bounds(
                _executed(world, one), gamma=_HIDDEN_ODDS, judged=one.proposed != MAINTAIN
            )
            for world, one in zip(worlds, logs, strict=True)
        ]
    )
    yield quality(
        "overrides: sensitivity bounds that hold the truth then",
        float(((bounds[:, 0] <= values) & (values <= bounds[:, 1])).mean()),
        mark="≥ .95",
        note=f"odds moved by {_HIDDEN_ODDS:g}; mean width {np.ptp(bounds, axis=1).mean():.3f}",
    )


def _values(truth: _Truth, log: _Log) -> dict[str, float]:
    rows = np.arange(_DECISIONS)
    told = truth.proposals[log.groups]
    pairs = [
        (ARMS[b].value, ARMS[a].value) for b, a in zip(log.proposed, log.executed, strict=True)
    ]
    average = (told @ transition(pairs))[rows, log.executed]
    seen = _logged(truth, log, told[rows, log.executed])
    return {
        "proposal": snips.estimate(seen).value,
        "approved": snips.estimate(seen.take(log.is_approved)).value,
        "average": snips.estimate(_logged(truth, log, average)).value,
        "executed": snips.estimate(_executed(truth, log)).value,
    }


def _executed(truth: _Truth, log: _Log) -> LoggedDecisions:
    """Return the log with the product's probability of what was executed."""
    found = transitions(
        (str(group), ARMS[b].value, ARMS[a].value)
        for group, b, a in zip(log.groups, log.proposed, log.executed, strict=True)
    )
    chances = np.stack([truth.proposals[g] @ found.of(str(g)) for g in range(_GROUPS)])
    return _logged(truth, log, chances[log.groups, log.executed])


def _logged(truth: _Truth, log: _Log, probability: NDArray[np.float64]) -> LoggedDecisions:
    return LoggedDecisions(
        pmf_logged=probability,
        rewards=log.rewards,
        actions=log.executed,
        pmf_new=truth.candidate[log.groups],
    )


def _truth(random: np.random.Generator) -> _Truth:
    size, rows = (_GROUPS, len(ARMS)), np.arange(_GROUPS)
    proposals = _FLOOR + (1 - _FLOOR * len(ARMS)) * random.dirichlet(np.ones(len(ARMS)), _GROUPS)
    means = random.uniform(0.25, 0.55, size)
    approval = 0.2 + 2.0 * (means - 0.25) + random.uniform(0.0, 0.15, size)
    approval[:, MAINTAIN] = 1.0
    candidate = np.full(size, 0.04)
    candidate[rows, means.argmax(axis=1)] = 0.80
    return _Truth(proposals, approval, means, candidate)


def _log(truth: _Truth, seed: int, *, hidden: bool) -> _Log:
    random = np.random.default_rng(seed)
    groups = random.integers(0, _GROUPS, _DECISIONS)
    drawn = random.random((_DECISIONS, 1))
    proposed = (drawn > truth.proposals[groups].cumsum(axis=1)).sum(axis=1).clip(0, len(ARMS) - 1)
    sign = np.where(random.random(_DECISIONS) < 0.5, 1.0, -1.0) * hidden
    approval = truth.approval[groups, proposed]
    odds = approval / np.maximum(1 - approval, 1e-12) * _HIDDEN_ODDS**sign
    is_approved = random.random(_DECISIONS) < odds / (1 + odds)
    executed = np.where(is_approved, proposed, MAINTAIN)
    means = truth.means[groups, executed] + _HIDDEN_GAIN * sign * (executed != MAINTAIN)
    rewards = (random.random(_DECISIONS) < means).astype(np.float64)
    return _Log(
        groups.astype(np.intp),
        proposed.astype(np.intp),
        executed.astype(np.intp),
        is_approved,
        rewards,
    )
