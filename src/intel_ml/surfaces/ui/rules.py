"""The rules page: what is watched, how often it fired, and the switch of each rule.

Reads   `intel_automation_rule`.
Gives   the page; for operators, rules switched on and off.
Never   edits a rule's conditions: the REST API does, where they are checked.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ActionType
from intel_ml.core.errors import InvalidValueError, NotAllowedError, NotFoundError
from intel_ml.core.ids import LEVEL_NAMES, EntityType
from intel_ml.core.recommendations import Role
from intel_ml.data.store.tables import AutomationRule
from intel_ml.operations.approvals import action_from
from intel_ml.surfaces.ui.sheets import NO_ACCOUNT, body_answer, chosen_account, sheet
from intel_ml.surfaces.ui.visits import Answer, Ask, Visit, action_key
from intel_ml.surfaces.ui.wording import ago, safe

_MODES = {
    "approval_required": "asks a person",
    "automatic": "automatic where earned",
    "suggestion_only": "only suggests",
}


def page(visit: Visit, ask: Ask) -> str:
    """Return the page as it is first seen."""
    return sheet("rules", visit, ask, look(visit, ask))


def look(visit: Visit, ask: Ask) -> Answer:
    """Return the rules of one account, or nothing where the browser shows them already."""
    account = chosen_account(visit, ask.account)
    body = _table(visit, account, _rules(visit, account)) if account else NO_ACCOUNT
    return body_answer(ask, body)


def decide(visit: Visit, ask: Ask) -> str:
    """Switch a rule on or off."""
    if ask.kind != "switch":
        raise InvalidValueError(path="kind", problem="is nothing that can be done with a rule")
    key = action_key(ask.word("key"))
    row = (
        visit.session.get(AutomationRule, (key.account_id, key.action_id), with_for_update=True)
        if visit.person.may(Role.VIEWER, key.account_id)
        else None
    )
    if row is None or row.deleted_at is not None:
        raise NotFoundError("There is no such rule in an account of yours.")
    if not visit.person.may(Role.OPERATOR, key.account_id):
        raise NotAllowedError("Switching a rule needs the role 'operator'.")
    row.is_active, row.updated_at = not row.is_active, visit.now
    return f"{row.name} is {'on' if row.is_active else 'off'}, from the next look at the account."


def _rules(visit: Visit, account: Account) -> Sequence[AutomationRule]:
    return visit.session.scalars(
        select(AutomationRule)
        .where(AutomationRule.ad_account_id == account.id, AutomationRule.deleted_at.is_(None))
        .order_by(AutomationRule.priority.desc(), AutomationRule.name)
    ).all()


def _table(visit: Visit, account: Account, found: Sequence[AutomationRule]) -> str:
    if not found:
        return (
            '<div class="empty"><b>This account has no rules.</b>'
            "The default rules come with the first look at an account.</div>"
        )
    may_switch = visit.person.may(Role.OPERATOR, account.id)
    rows = "".join(_row(visit, account, rule, may_switch=may_switch) for rule in found)
    return (
        '<section class="panel wide"><table class="rules"><thead><tr><th>Rule</th><th>Watches</th>'
        '<th>Proposes</th><th>How</th><th class="num">Fired</th><th class="num">Done</th>'
        "<th>Last fired</th><th>State</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _row(visit: Visit, account: Account, rule: AutomationRule, *, may_switch: bool) -> str:
    last = (
        ago(rule.last_triggered_at, now=visit.now, zone=account.time_zone)
        if rule.last_triggered_at
        else '<span class="quiet">never</span>'
    )
    state = "On" if rule.is_active else "Off"
    switch = (
        f'<button type="button" data-send="switch" data-key="{safe(account.id)}:{rule.id}" '
        'role="switch" '
        f'aria-checked="{str(rule.is_active).lower()}" aria-label="{safe(rule.name)}">'
        f"{'● On' if rule.is_active else '○ Off'}</button>"
        if may_switch
        else state
    )
    return (
        f"<tr><td><b>{safe(rule.name)}</b><br>"
        f'<span class="quiet">{safe(rule.description or "", longest=200)}</span></td>'
        f'<td data-name="Watches">{LEVEL_NAMES[EntityType(rule.applies_to)]}s</td>'
        f'<td data-name="Proposes">{safe(_proposes(rule))}</td>'
        f'<td data-name="How">{_how(rule)}</td>'
        f'<td data-name="Fired" class="num">{rule.times_triggered:,}</td>'
        f'<td data-name="Done" class="num">{rule.times_executed:,}</td>'
        f'<td data-name="Last fired">{last}</td><td>{switch}</td></tr>'
    )


def _how(rule: AutomationRule) -> str:
    if rule.action_type == ActionType.NOTIFY_ONLY:
        return "a note at once"
    return _MODES.get(rule.execution_mode, safe(rule.execution_mode))


def _proposes(rule: AutomationRule) -> str:
    action = action_from(rule.action_type, rule.action_params)
    words = {
        ActionType.PAUSE: "Pause",
        ActionType.ACTIVATE: "Switch on",
        ActionType.INCREASE_BUDGET: "Raise budget",
        ActionType.DECREASE_BUDGET: "Cut budget",
        ActionType.NOTIFY_ONLY: "Tell people",
        ActionType.DO_NOTHING: "Nothing",
    }.get(action.type, action.type.replace("_", " ").capitalize())
    return f"{words} {abs(action.percent)}%" if action.percent else words
