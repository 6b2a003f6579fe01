"""Diminishing returns: the best prospects are bought first, so more budget buys worse ones.

    quality(B) = (B / B_ref) ** -eta,      results ~ B ** (1 - eta)

A constant-elasticity response curve (Hanssens, Parsons & Schultz 2001, "Market Response Models",
ch. 3). `eta` belongs to the ad set: small in broad audiences, large in retargeting, so scaling the
same way helps one and burns money in another. Misleads far outside the range of budgets observed,
where real curves become S-shaped.

Reads   the budget of the day and the budget at which the ad set's rates hold.
Gives   a factor on the conversion rate.
Never   touches the price: that is `auction`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Diminishing:
    """How far from the reference budget the curve is followed, as a ratio."""

    enabled: bool = True
    widest_ratio: float = 20.0

    def quality(
        self,
        *,
        budget: NDArray[np.float64],
        reference: NDArray[np.float64],
        eta: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the factor on the conversion rate; 1 at the reference budget.

        >>> two = np.array([2.0])
        >>> Diminishing().quality(budget=2 * two, reference=two, eta=np.array([1.0]))
        array([0.5])
        """
        if not self.enabled:
            return np.ones(len(budget))
        ratio = np.clip(budget / reference, 1 / self.widest_ratio, self.widest_ratio)
        return np.asarray(ratio**-eta)
