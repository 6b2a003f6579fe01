"""What became of the most alike past cases of the change that is proposed.

Reads   the policy's own memory, where it has one (`Remembers`).
Gives   decisions with that as one more reason of the policy's; an approver's card tells it. Of one
        decision, the cases themselves.
Never   tells of what was not known yet, or of another account by name: the memory sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from intel_ml.core.actions import Arm
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States, states_of
from intel_ml.intelligence.policy.protocol import Remembers
from intel_ml.intelligence.policy.recall import Recalled
from intel_ml.operations.decision_rows import Decided
from intel_ml.operations.views import PolicyInUse

#: Marks the reason that tells it.
NEAREST_CASES = "nearest_cases"


def with_cases(
    decided: Sequence[Decided], states: States, policy: PolicyInUse | None
) -> list[Decided]:
    """Return the decisions, row by row of `states`, those that propose a change with the reason."""
    if policy is None or not isinstance(policy.policy, Remembers):
        return list(decided)
    memory = policy.policy
    return [
        one
        if one.draw.arm is Arm.MAINTAIN or one.judged.policy is None
        else _told(one, memory.nearest(states, row, one.draw.arm))
        for row, one in enumerate(decided)
    ]


def recalled(policy: PolicyInUse | None, one: Decided, *, now: datetime) -> Recalled | None:
    """Return the most alike past cases of what the policy would do.

    None where the policy has no view, or remembers none.
    """
    judged = one.judged
    arm = judged.policy_arm
    if policy is None or arm is None or not isinstance(policy.policy, Remembers):
        return None
    states = states_of([judged.state], entities=[judged.standing.entity], moments=[now])
    return policy.policy.nearest(states, 0, arm)


def _told(one: Decided, found: Recalled) -> Decided:
    view = one.judged.policy
    if view is None:
        return one
    nearest = found.cases[0].likeness if found.cases else None
    reason = Reason(found.says, field=NEAREST_CASES, observed=nearest, unit="likeness")
    heard = replace(view, reasons=(*view.reasons, reason))
    return replace(one, judged=replace(one.judged, policy=heard))
