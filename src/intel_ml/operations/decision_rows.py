"""Decisions as rows: what rules and policy each said, what was proposed, with which probability.

Reads   what was judged and drawn.
Gives   rows in `intel_decision`, in one round trip, or as texts for who writes them; a decision
        that is there already stays as it is.
Never   forgets the one that was not shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.actions import arm_of
from intel_ml.core.ids import DecisionId, Entity
from intel_ml.core.recommendations import Mode, Recommendation
from intel_ml.operations.drawing import Draw
from intel_ml.operations.judging import Judged
from intel_ml.operations.proposals import reason_json

_ID_LENGTH = 24
_DIGITS = 6
_json = json.JSONEncoder(allow_nan=False).encode
_INSERT = text(
    "INSERT INTO intel_decision "
    "SELECT * FROM jsonb_populate_recordset(NULL::intel_decision, CAST(:rows AS jsonb)) "
    "ON CONFLICT DO NOTHING RETURNING decision_id"
)
#: The same for `data.store.spool`; sent twice, it writes once.
APPEND: LiteralString = (
    "INSERT INTO intel_decision "
    "SELECT * FROM jsonb_populate_recordset(NULL::intel_decision, %s::jsonb) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What all decisions of one moment share."""

    as_of: datetime
    trigger: str
    mode: Mode
    features_hash: str


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, ready to be logged; `text` is its `judged_text`, where there is one already."""

    id: DecisionId
    judged: Judged
    draw: Draw
    text: str | None = None


def decision_id(entity: Entity, *, as_of: datetime, trigger: str = "cycle") -> DecisionId:
    """Return the id of the decision about an entity at a moment.

    Asked twice, it is the same decision.

    >>> from datetime import UTC
    >>> len(decision_id(Entity("act_1", "adset", "7"), as_of=datetime(2026, 1, 1, tzinfo=UTC)))
    24
    """
    told = "" if trigger == "cycle" else f"|{trigger}"
    key = f"{entity.account}|{entity}|{as_of.isoformat()}{told}"
    return DecisionId(hashlib.sha256(key.encode()).hexdigest()[:_ID_LENGTH])


def log_decisions(session: Session, moment: Moment, decided: Sequence[Decided]) -> set[str]:
    """Write the decisions; return the ids of those that are new."""
    if not decided:
        return set()
    return set(
        session.execute(_INSERT, {"rows": f"[{','.join(row_texts(moment, decided))}]"}).scalars()
    )


def row_texts(moment: Moment, decided: Sequence[Decided]) -> list[str]:
    """Return each decision as the JSON text of its row."""
    return [
        # Two objects written as one: only the first differs when the same is decided again.
        f"{_json(_own(one, moment))[:-1]}, {(one.text or judged_text(one.judged, one.draw))[1:]}"
        for one in decided
    ]


def judged_text(judged: Judged, drawn: Draw) -> str:
    """Return the JSON text of all that a row says but its id and its moment."""
    return _json(
        {
            "state": dict(judged.state),
            "allowed": [bool(allowed) for allowed in judged.allowed],
            **_rules(judged.rules),
            **_policy(judged),
            **_challenger(judged.challenger),
            "shown": judged.shown.source if judged.shown else None,
            "proposed": drawn.arm,
            "proposal_pmf": dict(drawn.pmf),
            "propensity": drawn.propensity,
            "is_held_out": drawn.is_held_out,
            "is_explored": drawn.is_explored,
        }
    )


def _own(one: Decided, moment: Moment) -> dict[str, Any]:
    entity, as_of = one.judged.standing.entity, moment.as_of.isoformat()
    return {
        "ad_account_id": entity.account,
        "decision_id": one.id,
        "entity_type": entity.type,
        "entity_id": entity.id,
        "as_of": as_of,
        "decided_at": as_of,
        "trigger": moment.trigger,
        "mode": moment.mode,
        "features_hash": moment.features_hash,
    }


def _rules(said: Recommendation | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {
        "rule_id": said.rule.id if said.rule else None,
        "rule_version": said.rule.version if said.rule else None,
        "rule_action": action_json(said),
        "rule_reasons": reason_json(said.reasons),
    }


def _policy(judged: Judged) -> dict[str, Any]:
    view = judged.policy
    if view is None or view.model is None:
        return {"archetype": judged.archetype}
    return {
        "policy_name": view.model.name,
        "policy_version": view.model.version,
        "policy_pmf": {arm: round(p, _DIGITS) for arm, p in view.pmf.items()},
        "policy_arm": judged.policy_arm,
        "policy_confidence": view.confidence,
        "policy_reasons": reason_json(view.reasons),
        "archetype": judged.archetype,
    }


def _challenger(view: Recommendation | None) -> dict[str, Any]:
    """Return what the challenger would do, for its evaluation: nobody is shown it."""
    if view is None or view.model is None:
        return {}
    return {
        "challenger": {
            "name": view.model.name,
            "version": view.model.version,
            "arm": arm_of(view.action),
            "confidence": view.confidence,
            "pmf": {arm: round(p, _DIGITS) for arm, p in view.pmf.items()},
        }
    }


def action_json(said: Recommendation) -> dict[str, Any]:
    """Return an action as it is logged and answered.

    Its type, and its percentage where it has one.
    """
    percent = said.action.percent
    return {"type": said.action.type} | ({} if percent is None else {"percent": percent})
