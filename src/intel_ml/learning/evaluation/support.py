"""Support: whether the log can speak for a policy at all.

    ESS = (sum w)^2 / sum w^2,   mean w ~ 1 where every arm the candidate likes was tried

Kish (1965). A real log exists where ESS is 2 of 10,000: an estimate from it is a story about two
decisions.

Reads   `LoggedDecisions`.
Gives   `Support` with what is missing, in words.
Never   lets a conclusion through that rests on too few decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.logged import LoggedDecisions


@dataclass(frozen=True, slots=True)
class SupportLimits:
    """What a conclusion needs at least."""

    min_ess: float = 50.0
    min_ess_share: float = 0.02
    mean_weight_low: float = 0.8
    mean_weight_high: float = 1.25
    min_supported_share: float = 0.8


@dataclass(frozen=True, slots=True)
class Support:
    """How much of a log speaks for a policy; `missing` is empty where it is enough."""

    n: int
    ess: float
    max_weight: float
    mean_weight: float
    supported_share: float
    missing: tuple[str, ...]
    limits: SupportLimits = field(default_factory=SupportLimits)

    @property
    def needed(self) -> float:
        """The least effective sample size that is enough."""
        return max(self.limits.min_ess, self.limits.min_ess_share * self.n)

    @property
    def is_enough(self) -> bool:
        """Whether a conclusion may be drawn."""
        return not self.missing


def ess(weights: NDArray[np.float64]) -> float:
    """Return the effective sample size of some weights, 0 for none.

    >>> ess(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def support(
    logged: LoggedDecisions,
    limits: SupportLimits | None = None,
    *,
    supported_share: float | None = None,
) -> Support:
    """Return how much of the log speaks for the candidate.

    Unless given, the supported share is the candidate's probability on arms that the log holds at
    all.
    """
    limits = limits or SupportLimits()
    weights = logged.weights
    size, mean, n = ess(weights), float(weights.mean()), len(logged)
    seen = np.bincount(logged.actions, minlength=logged.pmf_new.shape[1]) > 0
    share = supported_share
    if share is None:
        share = float(logged.pmf_new[:, seen].sum(axis=1).mean())
    needed = max(limits.min_ess, limits.min_ess_share * n)
    missing = []
    if size < needed:
        missing.append(f"effective sample size {size:.0f} of {n}, needs {needed:.0f}")
    if not limits.mean_weight_low <= mean <= limits.mean_weight_high:
        missing.append(
            f"mean weight {mean:.2f}, needs {limits.mean_weight_low} to {limits.mean_weight_high}: "
            "the log rarely or too often shows what the candidate would do"
        )
    if share < limits.min_supported_share:
        missing.append(f"{1 - share:.0%} of its choices were never tried")
    return Support(n, size, float(weights.max()), mean, share, tuple(missing), limits)
