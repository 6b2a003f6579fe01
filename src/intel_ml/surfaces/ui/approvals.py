"""The approvals page: the queue, one opened card, and decisions.

Reads   `reporting.queue`.
Gives   the page, and answers to what the browser asks.
Never   decides on its own: each decision is `operations.approvals`, with the person who asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.money import Money
from intel_ml.operations import approvals
from intel_ml.operations.undo import undo
from intel_ml.reporting.cards import Card
from intel_ml.reporting.queue import card as read_card
from intel_ml.reporting.queue import pending_cards
from intel_ml.surfaces.ui.card_html import card_html, card_key, queue_html
from intel_ml.surfaces.ui.halt import as_it_stands, halt_html, stopped
from intel_ml.surfaces.ui.idle import idle_html
from intel_ml.surfaces.ui.visits import (
    ActionKey,
    Answer,
    Ask,
    Visit,
    account_choice,
    action_key,
    digest,
)
from intel_ml.surfaces.ui.wording import plural, safe

LONGEST_QUEUE = 100
CHANGED = "Changed by the approver"


def page(visit: Visit, ask: Ask) -> str:
    """Return the page as it is first seen."""
    answer = look(visit, ask)
    choices = "".join(
        f'<button type="button" data-reason="{safe(reason)}"><kbd>{key}</kbd> '
        f"{safe(reason.capitalize())}</button>"
        for key, reason in enumerate(approvals.REJECT_REASONS, start=1)
    )
    opens = ' has-open"' if ask.opened and answer["opened"] else '"'
    return (
        f'<main class="intel desk{opens} data-page="approvals" '
        f'data-opened="{safe(answer["opened"] or "")}" '
        f'data-queue="{answer["queue_digest"]}" data-card="{answer["card_digest"]}">'
        f'<div class="notice" role="status" aria-live="polite">{_missing(ask)}</div>'
        f'<div class="halt" role="status">{answer["halt"]}</div>'
        '<div class="side"><div class="bar">'
        f'<input type="search" data-set="search" value="{safe(ask.search)}" '
        'placeholder="Filter  /" aria-label="Filter proposals" autocomplete="off">'
        f"{account_choice(visit, ask.account, all_accounts='All accounts')}"
        f'<span class="sum">{answer["sum"]}</span>'
        '<button type="button" data-do="approve-all">Approve all <kbd>⇧A</kbd></button></div>'
        f'<div class="rows" role="listbox" aria-label="Proposals">{answer["queue"]}</div></div>'
        f'<div class="opened">{answer["card"]}</div>'
        f'<div class="choices reject-choices" hidden>{choices}</div></main>'
    )


def look(visit: Visit, ask: Ask) -> Answer:
    """Return queue and opened card; parts that the browser has already are None."""
    cards = pending_cards(
        visit.session,
        person=visit.person,
        now=visit.now,
        account_id=ask.account,
        search=ask.search or None,
        limit=LONGEST_QUEUE,
    )
    shown = _opened(visit, ask, cards)
    opened = card_key(shown) if shown else None
    queue = queue_html(cards, opened=None, now=visit.now) or _empty(visit, ask)
    largest = visit.limits.max_budget_change_percent
    body = (
        card_html(as_it_stands(visit, shown), now=visit.now, largest_percent=largest)
        if shown
        else ""
    )
    return {
        "opened": opened,
        "queue": _unless_seen(queue, ask.word("queue")),
        "queue_digest": digest(queue),
        "card": _unless_seen(body, ask.word("card")),
        "card_digest": digest(body),
        "count": len(cards),
        "sum": _sum(cards),
        "halt": halt_html(visit),
    }


def decide(visit: Visit, ask: Ask) -> str:
    """Do what was asked and return what happens next."""
    session, by, now = visit.session, visit.person, visit.now
    if ask.kind == "approve-all":
        return _approve_all(visit, ask)
    key = action_key(ask.word("key")) if ask.word("key") else ask.opened
    if key is None:
        raise InvalidValueError(path="key", problem="no card is open", hint="Open one with J.")
    account_id, action_id = key.account_id, key.action_id
    match ask.kind:
        case "approve":
            done = approvals.approve(
                session, account_id=account_id, action_id=action_id, by=by, now=now
            )
        case "reject":
            done = approvals.reject(
                session,
                account_id=account_id,
                action_id=action_id,
                by=by,
                now=now,
                reason=ask.word("reason"),
            )
        case "modify":
            done = approvals.modify(
                session,
                account_id=account_id,
                action_id=action_id,
                by=by,
                now=now,
                action=change_of(ask.word("change")),
                reason=ask.word("reason").strip() or CHANGED,
                limits=visit.limits,
            )
        case "undo":
            done = undo(session, account_id=account_id, action_id=action_id, by=by, now=now)
        case _:
            raise InvalidValueError(path="kind", problem="is nothing that can be decided")
    why = stopped(visit) if done.status is ActionStatus.APPROVED else None
    return f"Approved. Not made yet: {why}." if why else done.says


def change_of(text: str) -> Action:
    """Return the change that a choice of the page stands for.

    >>> change_of("-20")
    Action(type=<ActionType.DECREASE_BUDGET: 'decrease_budget'>, percent=-20)
    """
    if text == "pause":
        return Action(ActionType.PAUSE)
    digits = text.removeprefix("-")
    if not digits.isdecimal() or len(digits) > len("1000"):
        raise InvalidValueError(path="change", problem="is neither 'pause' nor a percentage")
    percent = int(text)
    return Action(
        ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET, percent or None
    )


def linked(visit: Visit, action: str, account: str | None) -> ActionKey | None:
    """Return the action that a link `?action=…` means, None when there is none to see."""
    if not action.isdecimal():
        return None
    for account_id in [account] if account else visit.person.accounts:
        try:
            read_card(
                visit.session,
                person=visit.person,
                account_id=account_id,
                action_id=int(action),
                now=visit.now,
            )
        except NotFoundError:
            continue
        return ActionKey(account_id, int(action))
    return None


def _opened(visit: Visit, ask: Ask, cards: Sequence[Card]) -> Card | None:
    if ask.opened is None:
        return cards[0] if cards else None
    found = next((card for card in cards if card_key(card) == str(ask.opened)), None)
    if found:
        return found
    try:
        return read_card(
            visit.session,
            person=visit.person,
            account_id=ask.opened.account_id,
            action_id=ask.opened.action_id,
            now=visit.now,
        )
    except NotFoundError:
        return None


def _approve_all(visit: Visit, ask: Ask) -> str:
    if not ask.keys:
        raise InvalidValueError(path="keys", problem="nothing matches", hint="Clear the filter.")
    note = f"in one step, {plural(len(ask.keys), 'proposal')} at once"
    many = approvals.approve_many(
        visit.session,
        actions=[(key.account_id, key.action_id) for key in ask.keys],
        by=visit.person,
        now=visit.now,
        note=note,
    )
    why = stopped(visit)
    soon = "The change is made" if len(many.decided) == 1 else "The changes are made one by one,"
    then = f"Not made yet: {why}." if why else f"{soon} within seconds."
    words = f"{plural(len(many.decided), 'proposal')} approved. {then}"
    if many.refused:
        words += f" {len(many.refused)} not: {many.refused[0].why}"
    return words


def _empty(visit: Visit, ask: Ask) -> str:
    if ask.search:
        return (
            f'<div class="empty"><b>Nothing matches “{safe(ask.search)}”.</b>'
            '<button type="button" class="plain" data-do="clear">Clear the filter</button></div>'
        )
    return idle_html(visit, ask.account)


def _missing(ask: Ask) -> str:
    number = ask.word("missing")
    return (
        f"<span>There is no action {safe(number)} in an account of yours.</span>" if number else ""
    )


def _sum(cards: Sequence[Card]) -> str:
    if not cards:
        return "No proposals"
    stakes: Counter[str] = Counter()
    for card in cards:
        stakes[card.stake.currency] += card.stake.minor
    total = " + ".join(
        f"{Money(minor, currency).major:,.0f} {currency}"
        for currency, minor in sorted(stakes.items())
    )
    more = " or more" if len(cards) == LONGEST_QUEUE else ""
    tries = sum(card.is_try for card in cards)
    own = plural(len(cards) - tries, "proposal") if len(cards) > tries else ""
    both = " + ".join(part for part in (own, _tries(tries)) if part)
    return f"{both}{more} · {safe(total)} at stake a day"


def _tries(count: int) -> str:
    return plural(count, "random try", "random tries") if count else ""


def _unless_seen(html: str, seen: str) -> str | None:
    return None if digest(html) == seen else html
