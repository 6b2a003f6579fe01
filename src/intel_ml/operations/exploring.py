"""Where something is tried by chance: where it is unsure what is best, cheaply, a few times a day.

    e(i)    = share * doubt(i)     doubt = 1 - confidence where the policy agrees with what is
                                   shown, 1 where it does not, or nobody estimates what is earned
    open(i) = arms whose stake fits into what is left of the day's money for tries
    left    = tries a day - tries so far;  at 0: e = 0, and a live policy shows what it thinks best,
              as it does in place of a draw that is not open

Ad sets are gone through in an order that chance gave them, and `left`, the money and so the
distribution of each follow from what was drawn before it: the probability logged is the one
it was drawn with, given the past, as off-policy estimates need it (van der Laan, 2008, adaptive
designs). Where nobody knows what a try could cost, none is made.

Reads   what was judged; the day's tries so far.
Gives   a `Draw` for each, beside the judgement it belongs to.
Never   explores anything but ad sets, nor tries more a day than the limits allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ARMS, Arm, action_of
from intel_ml.core.days import account_day, day_start
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import IMITATION, Source
from intel_ml.data.store.tables import AutomationAction
from intel_ml.operations.drawing import Draw, Shares, certain, chance, draw
from intel_ml.operations.judging import Judged
from intel_ml.operations.limits import Limits
from intel_ml.operations.stakes import daily_spend, most_moved


@dataclass(frozen=True, slots=True)
class Left:
    """What of an account's day is left to try: how often, and how much money a day it may move."""

    tries: int
    minor: int

    @property
    def is_over(self) -> bool:
        """Whether nothing more is tried today."""
        return self.tries <= 0 or self.minor <= 0

    def less(self, minor: int) -> Left:
        """Return what is left after one more try that moves this much."""
        return Left(self.tries - 1, self.minor - minor)


def left_today(
    session: Session, account: Account, judged: Sequence[Judged], *, now: datetime, limits: Limits
) -> Left:
    """Return what the account's day leaves to try, before this moment's decisions."""
    since = day_start(account_day(now, account.time_zone), account.time_zone)
    made, moved = session.execute(
        select(func.count(), func.coalesce(func.sum(AutomationAction.stake_minor), 0)).where(
            AutomationAction.ad_account_id == account.id,
            AutomationAction.source == Source.EXPLORATION,
            AutomationAction.created_at >= since,
            AutomationAction.created_at < now,
        )
    ).one()
    spent = sum(
        daily_spend(one.state, currency=account.currency) or 0
        for one in judged
        if one.standing.entity.type is EntityType.ADSET
    )
    money = int(limits.exploration_spend_share * spent)
    return Left(limits.explorations_per_day - made, money - int(moved))


def drawn(
    judged: Sequence[Judged], *, keys: Sequence[str], left: Left, limits: Limits
) -> list[tuple[Judged, Draw]]:
    """Return what is proposed for each, in the order given, beside what it was drawn from."""
    found: dict[int, tuple[Judged, Draw]] = {}
    for row in sorted(range(len(judged)), key=lambda row: chance(keys[row], "order")):
        one = judged[row].settled if left.is_over else judged[row]
        if one.follows_policy:
            one = one.within(_affordable(one, left))
        told = _drawn(one, left, limits=limits, key=keys[row])
        found[row] = one, told
        if is_try(one, told):
            left = left.less(_cost(one, told.arm) or 0)
    return [found[row] for row in range(len(judged))]


def is_try(one: Judged, told: Draw) -> bool:
    """Return whether chance proposes a change that neither rules nor policy think best."""
    if told.arm is Arm.MAINTAIN:
        return False
    return told.is_explored or (one.is_tried and told.arm is one.arm)


def _drawn(one: Judged, left: Left, *, limits: Limits, key: str) -> Draw:
    """Return the draw for one; what is to be left alone for now is left alone for certain."""
    if one.standing.busy is not None or (one.withheld is not None and not one.follows_policy):
        return certain(Arm.MAINTAIN)
    share, tried = limits.exploration_share * _doubt(one), one.allowed
    if left.is_over or one.standing.entity.type is not EntityType.ADSET:
        share = 0.0
    if share > 0:
        tried = one.allowed & _affordable(one, left)
        share = share if tried.sum() > 1 else 0.0
    shares = Shares(limits.holdout_share, share)
    return draw(one.arm, base=one.base, allowed=one.allowed, tried=tried, shares=shares, key=key)


def _doubt(one: Judged) -> float:
    """Return how much is to be learned here: the same whatever a live policy drew."""
    view, best = one.policy, one.surely or one
    if view is None or view.confidence is None or one.policy_arm is not best.arm:
        return 1.0
    if view.model is not None and view.model.name == IMITATION:
        return 1.0
    return 1.0 - min(max(view.confidence, 0.0), 1.0)


def _affordable(one: Judged, left: Left) -> NDArray[np.bool_]:
    """Return which arms move no more money a day than is left; maintaining moves none."""
    costs = [
        _cost(one, arm) if open_ else None for arm, open_ in zip(ARMS, one.allowed, strict=True)
    ]
    return np.array([cost is not None and cost <= left.minor for cost in costs])


def _cost(one: Judged, arm: Arm) -> int | None:
    if arm is Arm.MAINTAIN:
        return 0
    moved = most_moved(one.standing.value, action_of(arm), one.state)
    return None if moved is None else moved.minor
