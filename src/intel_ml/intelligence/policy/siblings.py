"""What the other ad sets of a campaign would buy with the money of one that is paused.

    moved = the pace of the one that is paused,    P = the pace of the others together
    better = yield (P / moved) ((1 + moved / P) ** (1 - elasticity) - 1),    per unit of its money
    yield ~ Gamma(a0 + k n, a0 / m0 + k s),    k = 1 / (1 + spell n)

Under a campaign's budget the money of a paused ad set goes to the others. What they spent (s, in
targets) and bought (n) in a week are features of its own state, so that an ad set asked about alone
is answered as one among many. The prior (a0, m0) is that of `yields`.

When it misleads: two bad ones beside a good one may both be paused at one look; each was compared
with the other and the good one together, so what is left is better than either was told.

Reads   `Seen`: a state's siblings of 7 days, its pace, the budget above it.
Gives   by row what the others would buy.
Never   looks at the other rows of a question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.policy.windows import Seen
from intel_ml.intelligence.policy.yields import Kind

Floats = NDArray[np.float64]

_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Better:
    """What siblings would buy for each unit of a row's money; NaN where there are none to have it.

    `deviation` is how far that may be off, one standard deviation.
    """

    value: Floats
    deviation: Floats

    @property
    def is_told(self) -> NDArray[np.bool_]:
        """Which rows would hand their money on."""
        return np.isfinite(self.value)


def better(seen: Seen, *, kind: Kind, spell: float, elasticity: float) -> Better:
    """Return what the others would buy with its money, for each row under a campaign's budget."""
    spend, bought = seen.siblings_spend, seen.siblings_results
    hands_on = np.isfinite(seen.pool) & (seen.fresh_pace > 0) & (spend > 0)
    moved = np.where(hands_on, seen.fresh_pace, 1.0)
    rest = np.where(hands_on, spend, 1.0) / _WEEK
    counts = 1 / (1 + spell * bought)
    shape = kind.shape + counts * bought
    rate = kind.shape / kind.mean + counts * spend
    share = rest / moved * ((1 + moved / rest) ** (1 - elasticity) - 1)
    return Better(
        np.where(hands_on, share * shape / rate, np.nan),
        np.where(hands_on, share * np.sqrt(shape) / rate, np.nan),
    )
