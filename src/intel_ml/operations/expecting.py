"""What the policy expects of the change that is proposed, beside leaving the entity alone.

    gain = E[reward | change] - E[reward | left alone],   95 % interval  gain +- 1.96 deviation

The reward is what is earned over the horizon, results counted at target cost, as a share of what
is spent.

Reads   the policy's own estimate, where it has learned from rewards (`Expects`).
Gives   decisions with that as one more reason of the policy's; an approver's card tells it.
Never   asks a policy that has seen no reward: what people would do says nothing of what it earns.
        Never tells an estimate that may be off by more than all that is spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intel_ml.core.actions import Arm
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Expects
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.operations.decision_rows import Decided
from intel_ml.operations.views import PolicyInUse

#: Marks the reason that tells it.
EXPECTED_GAIN = "expected_gain"
_NORMAL_95 = 1.96
_TOO_WIDE = 1.0
_PERCENT = 100


def with_expectations(
    decided: Sequence[Decided], states: States, policy: PolicyInUse | None
) -> list[Decided]:
    """Return the decisions, row by row of `states`, those that propose a change with the reason."""
    if policy is None or not isinstance(policy.policy, Expects):
        return list(decided)
    asked = [
        row
        for row, one in enumerate(decided)
        if one.draw.arm is not Arm.MAINTAIN and one.judged.policy is not None
    ]
    if not asked:
        return list(decided)
    found, told = policy.policy.gains(states.take(asked)), list(decided)
    for place, row in enumerate(asked):
        arm = ARM_INDEX[decided[row].draw.arm]
        reason = expectation(float(found.value[place, arm]), float(found.deviation[place, arm]))
        told[row] = _with(decided[row], reason)
    return told


def expectation(gain: float, deviation: float) -> Reason | None:
    """Return the estimate in words; None where it says nothing.

    >>> expectation(0.1, 0.6) is None
    True
    """
    half = _NORMAL_95 * deviation
    if not (np.isfinite(gain) and half <= _TOO_WIDE):
        return None
    more = "more" if gain >= 0 else "less"
    doubt = "" if abs(gain) > half else "no clear effect; "
    text = (
        f"{doubt}within {HORIZON_HOURS} hours it earns {abs(gain):.0%} of its spend {more} than if "
        f"left alone (95% interval {_signed(gain - half)} to {_signed(gain + half)})"
    )
    return Reason(text, field=EXPECTED_GAIN, observed=gain, unit="share")


def _with(one: Decided, reason: Reason | None) -> Decided:
    view = one.judged.policy
    if reason is None or view is None:
        return one
    heard = replace(view, reasons=(*view.reasons, reason))
    return replace(one, judged=replace(one.judged, policy=heard))


def _signed(share: float) -> str:
    return f"{_PERCENT * share:+.0f}%".replace("-", "\N{MINUS SIGN}")
