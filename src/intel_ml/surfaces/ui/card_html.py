"""The queue and one opened card, in the order in which an approver reads.

Reads   cards and the moment it is.
Gives   HTML.
Never   prints a name that was not made inert; never says "red" without a word beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from intel_ml.core.actions import ARMS, ActionStatus, ActionType, Arm
from intel_ml.core.errors import IntelError
from intel_ml.core.ids import LEVEL_NAMES
from intel_ml.core.recommendations import Reason
from intel_ml.features.catalogue import feature
from intel_ml.operations.values import Value
from intel_ml.reporting.cards import Card
from intel_ml.surfaces.ui.sparkline import sparkline
from intel_ml.surfaces.ui.wording import (
    DASH,
    MINUS,
    amount,
    exact,
    led,
    left,
    number,
    percent,
    plural,
    quantity,
    safe,
)

ARM_WORDS = {
    Arm.PAUSE: "Pause",
    Arm.MAINTAIN: "Leave as it is",
    Arm.SCALE_10: "Budget +10%",
    Arm.SCALE_20: "Budget +20%",
    Arm.REDUCE_20: f"Budget {MINUS}20%",
    Arm.REDUCE_50: f"Budget {MINUS}50%",
}

#: What an approver may change a proposal to, by key; None is a pause.
MODIFICATIONS: tuple[int | None, ...] = (None, 10, 20, -10, -20, -30)

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}
_BY_CHANCE = (
    '<p class="quiet">No number asks for this change: chance chose it. What comes of it is '
    "measured, and the next proposals know.</p>"
)
TRY_TAG = '<span class="tag">Random try</span> '
TROUBLE = frozenset({ActionStatus.FAILED, ActionStatus.NEEDS_REVIEW})


def card_key(card: Card) -> str:
    """Return how the page names a card: account and action."""
    return f"{card.account_id}:{card.action_id}"


def queue_html(cards: Sequence[Card], *, opened: str | None, now: datetime) -> str:
    """Return the list of cards in their order, the opened one marked, tries under a heading."""
    tries = sum(card.is_try for card in cards)
    rows = []
    for at, card in enumerate(cards):
        if card.is_try and not (at and cards[at - 1].is_try):
            rows.append(_tries_heading(tries))
        rows.append(_row(card, is_open=card_key(card) == opened, now=now))
    return "".join(rows)


def _tries_heading(count: int) -> str:
    """Return what stands over the tries: what they are, and both of them in one step."""
    many = plural(count, "random try", "random tries")
    what = "A small test that teaches" if count == 1 else "Small tests that teach"
    return (
        f'<div class="group" role="presentation"><span><b>{many}</b> '
        f"{what} what works. Safe to reject.</span>"
        '<button type="button" data-do="approve-tries">Approve '
        f"{'it' if count == 1 else 'these'}</button></div>"
    )


def card_html(card: Card, *, now: datetime, largest_percent: int) -> str:
    """Return one card in full."""
    waits = card.status is ActionStatus.PENDING_APPROVAL
    return (
        f'<article class="card" data-key="{safe(card_key(card))}" data-status="{card.status}">'
        f"{_heading(card, now)}"
        f'<p class="why">{TRY_TAG if card.is_try else ""}{safe(card.why, longest=400)}</p>'
        f"{_alone(card)}"
        f"{_decide_bar() if waits else _standing(card)}"
        f'<div class="evidence"><section><h3>Reasons</h3>{_reasons(card)}</section>'
        f"<section><h3>Last 14 days</h3>{sparkline(card)}</section></div>"
        f"{_facts(card)}"
        f"{_modify_template(card, largest_percent) if waits else ''}</article>"
    )


def _alone(card: Card) -> str:
    """Return that nobody was asked, or that asking was chance."""
    if not card.alone:
        return ""
    tag = "By itself" if card.was_alone else "Spot check"
    return f'<p class="alone"><span class="tag accent">{tag}</span> {safe(card.alone)}</p>'


def _reasons(card: Card) -> str:
    return _BY_CHANCE if card.is_try else reasons_html(card.reasons)


def reasons_html(reasons: Sequence[Reason]) -> str:
    """Return reasons as a table: what was looked at, what was seen, where the line is."""
    if not reasons:
        return '<p class="quiet">No single number stands behind this.</p>'
    rows = "".join(
        f"<tr><td>{safe(_field(reason))}</td>"
        f'<td class="num">{safe(quantity(reason.observed, reason.unit))}</td>'
        f'<td class="num">{safe(_line(reason))}</td></tr>'
        for reason in reasons
    )
    return (
        '<table class="reasons"><thead><tr><th>Field</th><th class="num">Observed</th>'
        f'<th class="num">Threshold</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def pmf_html(card: Card) -> str:
    """Return the policy's probabilities as bars from zero, its choice marked."""
    if not card.policy_pmf:
        return ""
    rows = []
    for arm in ARMS:
        share = card.policy_pmf.get(arm, 0.0)
        css = ' class="chosen"' if arm is card.policy_arm else ""
        rows.append(
            f"<tr{css}><td>{safe(ARM_WORDS[arm])}</td>"
            f'<td class="barcell"><i style="width:{min(1.0, share) * 100:.1f}%"></i></td>'
            f'<td class="num">{percent(share)}</td></tr>'
        )
    says = "How often it would choose each if it decided alone"
    if card.imitates:
        says = "How likely people are to want each"
    return (
        f'<details class="more"><summary>{says}</summary>'
        f'<table class="pmf"><tbody>{"".join(rows)}</tbody></table></details>'
    )


def change_words(before: Value, after: Value) -> str:
    """Return what differs between two values, as text.

    >>> change_words(Value("JPY", 6000, "ACTIVE"), Value("JPY", 4800, "ACTIVE"))
    '6,000 → 4,800 JPY a day'
    """
    parts = []
    old, new = before.daily_budget, after.daily_budget
    if old and new and old != new:
        parts.append(f"{amount(old.major, old.currency)} → {new} a day")
    if before.status and after.status and before.status != after.status:
        parts.append(f"{before.status.capitalize()} → {after.status.capitalize()}")
    return ", ".join(parts) or str(before)


def _row(card: Card, *, is_open: bool, now: datetime) -> str:
    # All tries have the same reason; what tells them apart is how much they change.
    because = change_words(card.value_before, card.value_after) if card.is_try else card.why
    return (
        f'<a class="row" role="option" aria-selected="{"true" if is_open else "false"}" '
        f'href="?action={card.action_id}" data-open="{safe(card_key(card))}"'
        f"{' data-chance' if card.is_try else ''}>"
        f'<b class="what">{headline_html(card)}</b>'
        f'<span class="stake num" title="Money at stake a day">{safe(card.stake)}</span>'
        f'<span class="because">{safe(because)}</span>'
        f'<span class="until">{left(card.expires_at, now=now, zone=card.time_zone)}</span></a>'
    )


def headline_html(card: Card) -> str:
    """Return what is proposed, with the name set off."""
    before, name, after = card.headline.rpartition(card.entity_name)
    if not name:
        return safe(card.headline)
    return f"{safe(before)}<em>{safe(name, longest=90)}</em>{safe(after)}"


def _heading(card: Card, now: datetime) -> str:
    change = safe(change_words(card.value_before, card.value_after))
    return (
        '<header><button type="button" class="plain back" data-do="close">&lsaquo; Queue</button>'
        f"<h2>{headline_html(card)}</h2>"
        f'<p class="sub">{safe(card.account_name)} · {LEVEL_NAMES[card.entity_type]} '
        f'<span class="id">{safe(card.entity_id)}</span> · {change}</p>'
        f'<dl class="at"><div><dt>At stake a day</dt><dd class="num">{safe(card.stake)}</dd></div>'
        f"<div><dt>Time left</dt><dd>{_time_left(card, now)}</dd></div></dl></header>"
    )


def _time_left(card: Card, now: datetime) -> str:
    if card.status is not ActionStatus.PENDING_APPROVAL:
        return "decided"
    return left(card.expires_at, now=now, zone=card.time_zone)


def _decide_bar() -> str:
    return (
        '<div class="decide" role="group" aria-label="Decide">'
        '<button type="button" class="primary" data-do="approve">Approve <kbd>A</kbd></button>'
        '<button type="button" data-do="reject">Reject <kbd>R</kbd></button>'
        '<button type="button" data-do="modify">Modify <kbd>M</kbd></button>'
        '<span class="hint"><kbd>J</kbd> next <kbd>K</kbd> previous</span></div>'
    )


def _standing(card: Card) -> str:
    sign = "⚠ " if card.status in TROUBLE else ""
    css = "standing danger" if card.status in TROUBLE else "standing"
    when = exact(card.decided_at, card.time_zone) if card.decided_at is not None else ""
    undo = (
        '<button type="button" data-do="undo">Undo <kbd>U</kbd></button>' if card.may_undo else ""
    )
    says = f'<p title="{safe(when)}">{sign}{led(card.says)}</p>'
    then = '<button type="button" data-do="next">Next <kbd>J</kbd></button>'
    return f'<div class="{css}" role="status">{says}<span class="then">{undo}{then}</span></div>'


def _facts(card: Card) -> str:
    rows = [
        ("What is expected", safe(card.expected, longest=400)),
        ("Who proposes", safe(card.proposer)),
        ("What people would do" if card.imitates else "What the policy says", _policy(card)),
        ("Similar proposals", safe(card.similar, longest=400)),
    ]
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
        + "</dl>"
    )


def _policy(card: Card) -> str:
    if card.policy_arm is None:
        return safe(card.policy_says)
    agreement = {True: "✓ agrees", False: "≠ disagrees", None: "no comparison"}[card.agrees]
    model = (
        f' <span class="quiet">{safe(card.policy_version)}</span>' if card.policy_version else ""
    )
    return (
        f'<span class="tag{" accent" if card.agrees else ""}">{agreement}</span> '
        f"{safe(card.policy_says, longest=400)}{model}{pmf_html(card)}"
    )


def _modify_template(card: Card, largest_percent: int) -> str:
    options = []
    for key, change in enumerate(_changes(card, largest_percent), start=1):
        value = "pause" if change is None else str(change)
        options.append(
            f'<button type="button" data-change="{value}"><kbd>{key}</kbd> '
            f"{_change_words(card, change)}</button>"
        )
    return f'<div class="choices modify-choices" hidden>{"".join(options)}</div>'


def _changes(card: Card, largest_percent: int) -> tuple[int | None, ...]:
    wanted = MODIFICATIONS if card.value_before.daily_budget else (None,)
    own = None if _is_pause(card) else card.percent
    return tuple(
        change
        for change in wanted
        if (change is None and not _is_pause(card))
        or (change is not None and change != own and abs(change) <= largest_percent)
    )


def _change_words(card: Card, change: int | None) -> str:
    budget = card.value_before.daily_budget
    if change is None or budget is None:
        return "Pause"
    after = budget.changed_by(change)
    sign = "+" if change > 0 else MINUS
    return (
        f"Budget {sign}{abs(change)}% "
        f'<span class="num">{amount(budget.major, budget.currency)} → {safe(after)} a day</span>'
    )


def _is_pause(card: Card) -> bool:
    return card.action_type is ActionType.PAUSE


def _field(reason: Reason) -> str:
    if not reason.field:
        return reason.text
    try:
        label = feature(reason.field).label
    except IntelError:
        label = reason.field.replace("_", " ")
    return f"{label[:1].upper()}{label[1:]}"


def _line(reason: Reason) -> str:
    if reason.threshold is None:
        if reason.contribution is None:
            return DASH
        return f"weight {number(reason.contribution)}"
    shown = quantity(reason.threshold, reason.unit)
    sign = _SIGNS.get(reason.operator or "", reason.operator)
    return f"{sign} {shown}" if sign else shown
