"""The history page: what was decided, what came of it, and the way back.

Reads   `reporting.queue`.
Gives   the page, and undo.
Never   restores anything itself: the executor does, if the value is still ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.recommendations import Role
from intel_ml.operations.undo import undo
from intel_ml.reporting.cards import Card
from intel_ml.reporting.queue import ActionStats, stats
from intel_ml.reporting.queue import history as read_history
from intel_ml.surfaces.ui.card_html import TROUBLE, card_key, change_words, headline_html
from intel_ml.surfaces.ui.sheets import body_answer, framed
from intel_ml.surfaces.ui.visits import Answer, Ask, Visit, account_choice, action_key
from intel_ml.surfaces.ui.wording import DASH, ago, led, safe

DAYS = ("7", "30", "90")
SHOWN = {
    ActionStatus.APPROVED: "Approved, not done yet",
    ActionStatus.EXECUTING: "Being done now",
    ActionStatus.EXECUTED: "Done",
    ActionStatus.FAILED: "Failed",
    ActionStatus.NEEDS_REVIEW: "Needs a look",
    ActionStatus.REJECTED: "Rejected",
    ActionStatus.EXPIRED: "Expired",
    ActionStatus.STALE: "Out of date",
    ActionStatus.UNDONE: "Undone",
}


def page(visit: Visit, ask: Ask) -> str:
    """Return the page as it is first seen."""
    statuses = "".join(f'<option value="{one}">{words}</option>' for one, words in SHOWN.items())
    spans = "".join(
        f'<button type="button" data-choose="days" data-value="{days}" '
        f'aria-pressed="{str(days == DAYS[0]).lower()}">{days} days</button>'
        for days in DAYS
    )
    bar = (
        f"{account_choice(visit, ask.account, all_accounts='All accounts')}"
        '<select data-set="status" aria-label="Status">'
        f'<option value="">Whatever came of it</option>{statuses}</select>'
        f'<span class="segments" role="group" aria-label="Days">{spans}</span>'
    )
    return framed("history", bar=bar, answer=look(visit, ask))


def look(visit: Visit, ask: Ask) -> Answer:
    """Return the table, or nothing where the browser shows it already."""
    days = int(ask.word("days")) if ask.word("days") in DAYS else int(DAYS[0])
    status = next((one for one in SHOWN if one == ask.word("status")), None)
    session, person, now, account = visit.session, visit.person, visit.now, ask.account
    found = read_history(
        session, person=person, now=now, days=days, account_id=account, status=status
    )
    cards = [card for card in found if card.status is not ActionStatus.PENDING_APPROVAL]
    counts = stats(session, person=person, now=now, days=days, account_id=account)
    body = _counts(counts) + (_table(visit, cards) if cards else _empty(days))
    return body_answer(ask, body)


def decide(visit: Visit, ask: Ask) -> str:
    """Undo what was carried out."""
    if ask.kind != "undo":
        raise InvalidValueError(
            path="kind", problem="is nothing that can be done with a past action"
        )
    key = action_key(ask.word("key"))
    return undo(
        visit.session,
        account_id=key.account_id,
        action_id=key.action_id,
        by=visit.person,
        now=visit.now,
    ).says


def _counts(counts: ActionStats) -> str:
    parts = {
        "Proposed": counts.proposed,
        "Approved": counts.approved,
        "Rejected": counts.rejected,
        "Left alone to compare with": counts.held_out,
    }
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{count:,}</dd></div>" for name, count in parts.items()
    )
    return f'<dl class="tiles">{tiles}</dl>'


def _table(visit: Visit, cards: Sequence[Card]) -> str:
    newest = sorted(cards, key=lambda card: card.decided_at or card.created_at, reverse=True)
    rows = "".join(_row(visit, card) for card in newest)
    return (
        '<section class="panel wide"><table class="past"><thead><tr><th>When</th><th>What</th>'
        "<th>Decided by</th><th>What came of it</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _row(visit: Visit, card: Card) -> str:
    when = ago(card.decided_at or card.created_at, now=visit.now, zone=card.time_zone)
    came = led(card.says)
    if card.status in TROUBLE:
        came = f'<span class="danger">⚠ {came}</span>'
    can_undo = card.may_undo and visit.person.may(Role.APPROVER, card.account_id)
    undo_button = (
        f'<button type="button" data-send="undo" data-key="{safe(card_key(card))}">Undo</button>'
        if can_undo
        else ""
    )
    return (
        f'<tr><td class="when">{when}</td>'
        f'<td><a href="/?action={card.action_id}">{headline_html(card)}</a><br>'
        f'<span class="quiet">{safe(card.account_name, longest=60)} · '
        f"{safe(change_words(card.value_before, card.value_after))}</span></td>"
        f'<td class="by">{_by(card)}</td>'
        f"<td>{came}{_alone(card)}</td>"
        f"<td>{undo_button}</td></tr>"
    )


def _by(card: Card) -> str:
    return safe(card.decided_by or ("nobody was asked" if card.was_alone else DASH))


def _alone(card: Card) -> str:
    return f'<br><span class="quiet">{safe(card.alone)}</span>' if card.alone else ""


def _empty(days: int) -> str:
    return (
        f'<div class="empty"><b>Nothing was decided in the last {days} days.</b>'
        'What waits is under <a href="/">Approvals</a>.</div>'
    )
