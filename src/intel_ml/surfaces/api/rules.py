"""The account's rules over HTTP (the plan's section 5.2).

Reads   rule definitions in the plan's JSON.
Gives   rules as stored; an edit raises the version, a deleted rule's decisions stay.
Never   stores a definition that the rule language does not accept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.errors import ConflictError, InvalidValueError, NotFoundError
from intel_ml.core.recommendations import Role
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import AutomationRule
from intel_ml.judgement.rules.language import parse_rule, rule_json
from intel_ml.judgement.rules.templates import default_rules
from intel_ml.surfaces.api.callers import (
    LARGEST_ID,
    AccountId,
    Caller,
    ThePlatform,
    visible_account,
    visible_accounts,
)
from intel_ml.surfaces.api.rule_schemas import (
    Deleted,
    RuleIn,
    RuleList,
    RuleOut,
    RuleTemplate,
    TemplateList,
    Toggle,
)

router = APIRouter(prefix="/api/intelligence/rules", tags=["rules"])
RuleId = Annotated[int, Path(ge=1, le=LARGEST_ID)]

_NOT_STORED = {"account_id", "version"}


@router.get("")
def list_rules(person: Caller, platform: ThePlatform, account_id: AccountId = None) -> RuleList:
    """Return the rules, highest priority first."""
    with platform.store.session() as session:
        rows = session.scalars(
            select(AutomationRule)
            .where(
                AutomationRule.ad_account_id.in_(visible_accounts(person, account_id)),
                AutomationRule.deleted_at.is_(None),
            )
            .order_by(
                AutomationRule.ad_account_id, AutomationRule.priority.desc(), AutomationRule.id
            )
        )
        return RuleList(rules=[_out(row) for row in rows])


@router.get("/templates")
def list_templates(
    person: Caller, platform: ThePlatform, account_id: AccountId = None
) -> TemplateList:
    """Return the built-in rules, with thresholds in the account's currency and by its targets."""
    accounts = visible_accounts(person, account_id)
    if not accounts:
        raise NotFoundError("You may see no account yet.", hint="An admin grants a role.")
    with platform.store.session() as session:
        rules = default_rules(stored_account(session, accounts[0]))
    templates = [RuleTemplate.model_validate(rule_json(rule)) for rule in rules]
    return TemplateList(account_id=accounts[0], templates=templates)


@router.post("", status_code=201)
def create_rule(body: RuleIn, person: Caller, platform: ThePlatform) -> RuleOut:
    """Store a new rule."""
    visible_account(person, body.account_id, role=Role.OPERATOR)
    definition = _accepted(body)
    with platform.store.session() as session:
        now = platform_now(session)
        row = AutomationRule(
            **definition,
            ad_account_id=body.account_id,
            version=1,
            user_id=person.id,
            times_triggered=0,
            times_executed=0,
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        _flush(session, row)
        return _out(row)


@router.put("/{rule_id}")
def replace_rule(rule_id: RuleId, body: RuleIn, person: Caller, platform: ThePlatform) -> RuleOut:
    """Replace a rule's definition; its version rises."""
    definition = _accepted(body)
    with platform.store.session() as session:
        row = _editable(session, rule_id, person=person)
        if row.ad_account_id != body.account_id:
            raise InvalidValueError(
                path="account_id",
                problem="a rule stays in its account",
                hint="Create one there instead.",
            )
        if body.version is not None and body.version != row.version:
            raise ConflictError(
                f"Rule {rule_id} is at version {row.version} since {_at(row.updated_at)}; "
                f"you edited version {body.version}.",
                hint="Read it again and repeat your change.",
            )
        for name, value in definition.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at = platform_now(session)
        _flush(session, row)
        return _out(row)


@router.delete("/{rule_id}")
def delete_rule(rule_id: RuleId, person: Caller, platform: ThePlatform) -> Deleted:
    """Delete a rule; what it decided and proposed stays on record."""
    with platform.store.session() as session:
        row = _editable(session, rule_id, person=person)
        row.deleted_at = row.updated_at = platform_now(session)
        row.is_active = False
        return Deleted(id=row.id)


@router.post("/{rule_id}/toggle")
def toggle_rule(rule_id: RuleId, body: Toggle, person: Caller, platform: ThePlatform) -> RuleOut:
    """Switch a rule on or off; its version stays."""
    with platform.store.session() as session:
        row = _editable(session, rule_id, person=person)
        row.is_active = body.active
        row.updated_at = platform_now(session)
        return _out(row)


def _accepted(body: RuleIn) -> dict[str, object]:
    """Return the columns of a definition that the rule language has accepted."""
    definition = body.model_dump(exclude=_NOT_STORED)
    parse_rule(definition)
    return definition


def _editable(session: Session, rule_id: int, *, person: Person) -> AutomationRule:
    row = session.scalar(
        select(AutomationRule)
        .where(
            AutomationRule.id == rule_id,
            AutomationRule.ad_account_id.in_(person.accounts),
            AutomationRule.deleted_at.is_(None),
        )
        .with_for_update()
    )
    if row is None:
        raise NotFoundError(f"There is no rule {rule_id} in an account of yours.")
    visible_account(person, row.ad_account_id, role=Role.OPERATOR)
    return row


def _flush(session: Session, row: AutomationRule) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "live_name" not in str(error.orig):
            raise
        raise ConflictError(
            f"{row.ad_account_id} has a rule called '{row.name}' already.",
            hint="Choose another name.",
        ) from None


def _out(row: AutomationRule) -> RuleOut:
    return RuleOut.model_validate(
        {name: getattr(row, name) for name in RuleOut.model_fields if name != "account_id"}
        | {"account_id": row.ad_account_id}
    )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
