"""Whose recommendation is shown: the rules' or the policy's.

Reads   what the rules and the policy each recommend, and the mode: the account's, or that of the
        cell (archetype and arm) where it is held back.
Gives   the one to show, and the probability of each arm that comes of it.
Never   loses the other: it is logged with the decision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from intel_ml.core.actions import ActionType, Arm
from intel_ml.core.recommendations import Mode, Recommendation

_PROTECTIVE = frozenset({ActionType.PAUSE, ActionType.DECREASE_BUDGET})
_PROTECTIVE_ARMS = frozenset({Arm.PAUSE, Arm.REDUCE_20, Arm.REDUCE_50})


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


def landed(
    pmf: Mapping[Arm, float], *, rules: Arm | None, held_back: Collection[Arm]
) -> dict[Arm, float]:
    """Return the probability of each arm that is shown, where the policy draws from `pmf`.

    What it draws in a cell that is held back is the rules' to say, and so is leaving alone what a
    rule protects.

    >>> pmf = {Arm.PAUSE: 0.5, Arm.MAINTAIN: 0.5}
    >>> landed(pmf, rules=Arm.REDUCE_20, held_back={Arm.PAUSE})[Arm.REDUCE_20]
    1.0
    """
    found = dict.fromkeys(Arm, 0.0)
    for arm, probability in pmf.items():
        floor = arm is Arm.MAINTAIN and rules in _PROTECTIVE_ARMS
        lands = (rules or Arm.MAINTAIN) if arm in held_back or floor else arm
        found[lands] += probability
    return found
