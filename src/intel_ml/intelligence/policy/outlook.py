"""What each arm would earn of each row, how far that may be off, and how sure the best one is.

    gain(m) = worth * yield * (m ** (1 - elasticity) - 1) - (m - 1)    per unit spent
    surely more:   P(worth * yield * m ** -elasticity > 1)      the ad set as a whole still pays
    surely less:   P(gain(m) > 0)                               the money saved bought too little
    surely paused: P(yield < hopeless)

averaged over what is thought of yield and elasticity (`yields`).

Reads   `Yields` of rows, what is assumed of them.
Gives   `Outlook`, and confidence.
Never   gains anything from a row of which nothing was ever seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.intelligence.policy.assumptions import Assumptions
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Gains
from intel_ml.intelligence.policy.siblings import Better
from intel_ml.intelligence.policy.windows import Seen
from intel_ml.intelligence.policy.yields import ELASTICITIES, Yields

Floats = NDArray[np.float64]

PAUSE = ARM_INDEX[Arm.PAUSE]
#: Times today's budget, by arm.
TIMES = np.array([0.0 if arm is Arm.PAUSE else 1 + (ARM_PERCENT[arm] or 0) / 100 for arm in ARMS])
#: How sure of leaving alone where nothing would gain: not enough to silence a rule.
_EVEN, _LEAST_SURE = 0.5, 1e-6
#: A gain below this share of the money spent is not worth the name.
_SLIGHT = 0.02


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is thought of each row: its yield, the gain of each arm (n, 6), how surely hopeless.

    `better` tells what siblings would buy with the money of those under a campaign's budget.
    """

    seen: Seen
    yields: Yields
    gains: Floats
    hopeless: Floats
    is_known: NDArray[np.bool_]
    better: Better


def outlook(seen: Seen, found: Yields, *, assumed: Assumptions, better: Better) -> Outlook:
    """Return what is thought of each row."""
    # (n, grid) @ (grid, arms): what each arm would buy more, averaged over elasticities.
    more = (found.weight * found.each) @ _bought()
    hope = np.where(TIMES > 1, 1 + assumed.hope, 1.0)
    gains = assumed.worth * hope * more - (TIMES - 1)
    hands_on = better.is_told
    hopeless = np.where(hands_on, assumed.sibling_margin * better.value, assumed.hopeless)
    handed = assumed.worth * (better.value - found.mean)
    gains[:, PAUSE] = np.where(hands_on, handed, gains[:, PAUSE])
    is_known = found.exposure > 0
    gains[~is_known] = 0.0
    sure = np.where(is_known, found.below(hopeless[:, None]), 0.0)
    return Outlook(seen, found, gains, sure, is_known, better)


def expected(view: Outlook) -> Gains:
    """Return gains in the reward's unit: a result counts as one target, hope as nothing."""
    found, bought = view.yields, _bought()
    first = found.weight * found.each
    second = found.weight * (found.each**2 + found.shape[:, None] / found.rate**2)
    value = first @ bought - (TIMES - 1)
    spread = np.maximum(second @ bought**2 - (first @ bought) ** 2, 0.0)
    hands_on = view.better.is_told
    value[hands_on, PAUSE] = (view.better.value - found.mean)[hands_on]
    spread[hands_on, PAUSE] += view.better.deviation[hands_on] ** 2
    value[~view.is_known] = 0.0
    spread[~view.is_known] = np.inf
    spread[:, MAINTAIN] = np.where(view.is_known, 0.0, np.inf)
    return Gains(value, np.sqrt(spread))


def confidence(
    view: Outlook, greedy: NDArray[np.intp], mask: NDArray[np.bool_], *, worth: float
) -> Floats:
    """Return the chance that the greedy arm gains, or that nothing else would matter."""
    sure = np.zeros(len(greedy))
    for arm, times in enumerate(TIMES):
        if arm == MAINTAIN:
            continue
        if arm == PAUSE:
            sure = np.where(greedy == arm, view.hopeless, sure)
            continue
        # Less budget gains below this yield; more is right while the ad set as a whole pays.
        if times > 1:
            right = 1 - view.yields.below(times**ELASTICITIES / worth)
        else:
            right = view.yields.below((times - 1) / (worth * (times ** (1 - ELASTICITIES) - 1)))
        sure = np.where(greedy == arm, right, sure)
    slight = np.where(mask, view.gains, -np.inf)
    slight[:, [MAINTAIN, PAUSE]] = -np.inf
    quiet = np.where(slight.max(axis=1) < _SLIGHT, _EVEN, 0.0)
    return np.clip(np.where(greedy == MAINTAIN, quiet, sure), _LEAST_SURE, 1.0)


def _bought() -> Floats:
    """Return how many more results each arm buys, (grid, arms), as a share of today's."""
    return np.asarray(TIMES ** (1 - ELASTICITIES[:, None]) - 1)
