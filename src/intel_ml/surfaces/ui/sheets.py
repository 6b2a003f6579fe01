"""Pages of one account: which account, the frame around its body, and whether the browser has it.

Reads   a visit and what it asks for.
Gives   HTML and answers.
Never   sends a body that the browser shows already.
"""

from __future__ import annotations

from intel_ml.core.accounts import Account
from intel_ml.core.ids import AdAccountId
from intel_ml.reporting.queue import waiting
from intel_ml.surfaces.ui.visits import Answer, Ask, Visit, account_choice, digest

NO_ACCOUNT = (
    '<div class="empty"><b>No account is open to you.</b>'
    "An admin of an account can give you a role in it.</div>"
)


def sheet(name: str, visit: Visit, ask: Ask, answer: Answer) -> str:
    """Return the page of that name as it is first seen, the account to choose over its body."""
    chosen = chosen_account(visit, ask.account)
    choice = account_choice(visit, chosen.id if chosen else None)
    return framed(name, bar=choice, answer=answer)


def framed(name: str, *, bar: str, answer: Answer) -> str:
    """Return a page of a bar and a body."""
    return (
        f'<main class="intel" data-page="{name}" data-body="{answer["body_digest"]}">'
        '<div class="notice" role="status" aria-live="polite"></div>'
        f'<div class="sheet"><div class="bar">{bar}</div>'
        f'<div class="body">{answer["body"]}</div></div></main>'
    )


def body_answer(ask: Ask, body: str) -> Answer:
    """Return the body with its mark; None in its place where the browser has it."""
    mark = digest(body)
    return {"body": None if ask.word("body") == mark else body, "body_digest": mark}


def chosen_account(visit: Visit, wanted: str | None) -> Account | None:
    """Return the account asked for where the person may see it, else where most is at stake."""
    mine = {account.id: account for account in visit.accounts}
    if wanted in mine:
        return mine[AdAccountId(wanted)]
    busiest = next(iter(waiting(visit.session, person=visit.person, now=visit.now)), None)
    return mine[busiest.account_id] if busiest else next(iter(mine.values()), None)
