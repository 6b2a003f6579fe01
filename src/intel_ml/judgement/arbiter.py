"""Whose recommendation is shown: the rules' or the policy's.

Reads   what the rules and the policy each recommend, and the account's mode.
Gives   the one to show.
Never   loses the other: it is logged with the decision.
"""

from __future__ import annotations

from intel_ml.core.actions import ActionType
from intel_ml.core.recommendations import Mode, Recommendation

_PROTECTIVE = frozenset({ActionType.PAUSE, ActionType.DECREASE_BUDGET})


def arbitrate(
    *, rules: Recommendation | None, policy: Recommendation | None, mode: Mode
) -> Recommendation | None:
    """Return the recommendation to show.

    In shadow, and where no policy speaks (none is there, or its gate does not hold), the rules are
    shown. Live, the policy is; but its wish to leave things as they are does not silence a rule
    that protects money.
    """
    if mode is Mode.SHADOW or policy is None:
        return rules
    if policy.action.type is ActionType.DO_NOTHING and rules is not None:
        return rules if rules.action.type in _PROTECTIVE else policy
    return policy
