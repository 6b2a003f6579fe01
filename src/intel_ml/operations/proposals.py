"""From decisions to actions that wait for an answer, at most one open for each entity.

Reads   what was judged and drawn.
Gives   rows in `intel_automation_action` with everything an approver needs; the expired and the
        overtaken closed.
Never   proposes twice what is open, and never approves: automatic ones were earned, and are checked
        again before they act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ActionStatus, Arm, action_of
from intel_ml.core.recommendations import Reason, Source
from intel_ml.data.store.tables import ActionEvent, AutomationAction
from intel_ml.learning.cells import Cell
from intel_ml.operations import journal, values
from intel_ml.operations.alone import Terms, Way, model_of, standing_alone
from intel_ml.operations.approvals import CHANNEL, params
from intel_ml.operations.drawing import Draw
from intel_ml.operations.exploring import is_try
from intel_ml.operations.judging import Judged
from intel_ml.operations.limits import Limits
from intel_ml.operations.stakes import most_moved, reason_to_try, stake

_MOST_IN_WHY = 3


@dataclass(frozen=True, slots=True)
class Cycle:
    """What all proposals of one cycle have in common."""

    account: Account
    now: datetime
    data_as_of: datetime
    limits: Limits
    features: tuple[str, ...] = ()
    cells: Mapping[tuple[str, Arm], Cell] = field(default_factory=dict)

    @property
    def alone(self) -> Terms:
        """On which terms a change may go on without a person."""
        return Terms(self.account, self.now, self.limits, self.cells)


@dataclass(frozen=True, slots=True)
class Proposed:
    """One decision that comes to a proposal."""

    decision_id: str
    judged: Judged
    draw: Draw


def propose(session: Session, cycle: Cycle, proposed: Sequence[Proposed]) -> dict[str, int]:
    """Write the proposals; return the action's id of each decision that led to a new one."""
    rows = [_row(one, cycle) for one in proposed]
    if not rows:
        return {}
    made = session.execute(
        insert(AutomationAction)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(
            AutomationAction.decision_id,
            AutomationAction.id,
            AutomationAction.status,
            AutomationAction.autonomy,
        )
    ).all()
    if not made:
        return {}
    session.execute(
        insert(ActionEvent).values(
            [
                {
                    "ad_account_id": cycle.account.id,
                    "action_id": action_id,
                    "at": cycle.now,
                    "kind": "transition",
                    "actor": journal.CYCLE,
                    "detail": {"from": None, "to": status, "decision_id": decision_id}
                    | ({} if autonomy is None else {"autonomy": autonomy}),
                }
                for decision_id, action_id, status, autonomy in made
            ]
        )
    )
    if any(status == ActionStatus.APPROVED for _, _, status, _ in made):
        session.execute(text(f"NOTIFY {CHANNEL}"))
    return {str(decision_id): action_id for decision_id, action_id, _, _ in made}


_CLOSE = """
    WITH closed AS (
        UPDATE intel_automation_action
        SET status = :to, status_reason = :why, updated_at = :now
        WHERE {which} RETURNING ad_account_id, id
    ), written AS (
        INSERT INTO intel_action_event (ad_account_id, action_id, at, kind, actor, detail)
        SELECT ad_account_id, id, :now, 'transition', :actor,
            jsonb_build_object('from', CAST(:origin AS text),
                'to', CAST(:to AS text), 'why', CAST(:why AS text))
        FROM closed RETURNING 1
    )
    SELECT count(*) FROM closed
"""
_TOO_LATE = {
    ActionStatus.PENDING_APPROVAL: "Nobody decided in time.",
    ActionStatus.APPROVED: "The approval ended before the change could be made.",
}
_EXPIRE = text(_CLOSE.format(which="status = :origin AND expires_at <= :now"))
_OVERTAKE = text(
    _CLOSE.format(
        which="ad_account_id = :account AND status = 'pending_approval' AND source = 'rules' "
        "AND created_at < :now "
        "AND entity_type || ':' || entity_id || ':' || rule_id <> ALL(:still)"
    )
)


def expire(session: Session, *, now: datetime) -> int:
    """Close what was not answered, or not carried out, in time; return how many."""
    closed = 0
    for origin, why in _TOO_LATE.items():
        keys = {"to": ActionStatus.EXPIRED, "origin": origin, "why": why}
        moment = {"now": now, "actor": journal.CYCLE}
        closed += int(session.execute(_EXPIRE, keys | moment).scalar_one())
    return closed


def overtake(session: Session, account: Account, *, still: Sequence[str], now: datetime) -> int:
    """Close the waiting proposals whose rule does not hold any more.

    `still` are type:id:rule of those that do.
    """
    why = "The rule does not hold on the latest data any more."
    keys = {"to": ActionStatus.STALE, "origin": ActionStatus.PENDING_APPROVAL, "why": why}
    keys |= {"now": now, "actor": journal.CYCLE}  # type: ignore[dict-item]  # parameters of any kind
    return int(
        session.execute(
            _OVERTAKE, keys | {"account": account.id, "still": list(still)}
        ).scalar_one()
    )


def why_in_a_sentence(reasons: Sequence[Reason]) -> str:
    """Return the reasons as one sentence.

    >>> why_in_a_sentence([Reason("spent 68.50 USD with no purchase"), Reason("1,200 impressions")])
    'Spent 68.50 USD with no purchase; 1,200 impressions.'
    """
    texts = [reason.text.rstrip(".") for reason in reasons[:_MOST_IN_WHY]]
    sentence = "; ".join(texts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def reason_json(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """Return reasons as they are stored: what is not known is left out."""
    names = Reason.__slots__
    return [
        {name: value for name in names if (value := getattr(reason, name)) is not None}
        for reason in reasons
    ]


def _row(one: Proposed, cycle: Cycle) -> dict[str, Any]:
    judged, limits, state = one.judged, cycle.limits, one.judged.state
    tried, before = is_try(judged, one.draw), judged.standing.value
    is_own = judged.action is not None and judged.arm is one.draw.arm
    action = judged.action if is_own and judged.action else action_of(one.draw.arm)
    moved = most_moved(before, action, state) if tried else None
    reasons = (reason_to_try(action, moved),) if tried else judged.reasons
    source = Source.EXPLORATION if tried or judged.shown is None else judged.shown.source
    about = moved or stake(state, action, currency=cycle.account.currency)
    rule = judged.rule if source is Source.RULES else None
    policy, standing = judged.policy, judged.standing
    alone = standing_alone(
        judged, cycle.alone, source=source, model=model_of(judged), key=one.decision_id
    )
    is_automatic = alone is not None and alone.way is Way.AUTOMATIC
    return {
        "ad_account_id": cycle.account.id,
        "key": one.decision_id,
        "decision_id": one.decision_id,
        "rule_id": rule.id if rule else None,
        "rule_version": rule.version if rule else None,
        "source": source,
        "entity_type": standing.entity.type,
        "entity_id": standing.entity.id,
        "entity_name": standing.name,
        "action_type": action.type,
        "action_params": params(action),
        "value_before": before.as_json(),
        "value_after": values.after(before, action).as_json(),
        "status": ActionStatus.APPROVED if is_automatic else ActionStatus.PENDING_APPROVAL,
        "requires_approval": not is_automatic,
        "autonomy": None if alone is None else alone.as_json(),
        "approved_at": cycle.now if is_automatic else None,
        "reason": why_in_a_sentence(reasons),
        "reasons": reason_json(reasons),
        "triggered_metrics": {r.field: r.observed for r in reasons if r.field is not None},
        "stake_minor": about.minor,
        "data_as_of": cycle.data_as_of,
        "model_recommendation": judged.policy_arm,
        "model_confidence": policy.confidence if policy else None,
        "model_version": model_of(judged),
        "features_used": list(cycle.features) if policy else None,
        "feature_values": {name: state.get(name) for name in cycle.features} if policy else None,
        "expires_at": cycle.now + limits.approval_valid,
        "created_at": cycle.now,
        "updated_at": cycle.now,
    }
