"""The dashboard page: one account at a glance.

Reads   `reporting.dashboard`.
Gives   the page, and its body again when something moved.
Never   decides anything: its links lead to the approvals.
"""

from __future__ import annotations

from sqlalchemy import select

from intel_ml.core.accounts import Account
from intel_ml.data.store.tables import EntityRow
from intel_ml.reporting.dashboard import Dashboard
from intel_ml.reporting.dashboard import dashboard as read_dashboard
from intel_ml.reporting.queue import waiting
from intel_ml.surfaces.ui.board_html import board_html
from intel_ml.surfaces.ui.sheets import NO_ACCOUNT, body_answer, chosen_account, sheet
from intel_ml.surfaces.ui.visits import Answer, Ask, Visit
from intel_ml.surfaces.ui.wording import safe


def page(visit: Visit, ask: Ask) -> str:
    """Return the page as it is first seen."""
    return sheet("dashboard", visit, ask, look(visit, ask))


def look(visit: Visit, ask: Ask) -> Answer:
    """Return the account's board, or nothing where the browser shows it already."""
    account = chosen_account(visit, ask.account)
    body = NO_ACCOUNT
    if account:
        board = read_dashboard(
            visit.session,
            person=visit.person,
            account_id=account.id,
            now=visit.now,
            floor=visit.limits.min_confidence_for_auto,
        )
        body = _everywhere(visit, account)
        body += board_html(board, names=_names(visit, board), days=ask.word("days"))
    return body_answer(ask, body)


def _everywhere(visit: Visit, account: Account) -> str:
    """Return what waits in each account, where the person has several."""
    if len(visit.accounts) <= 1:
        return ""
    names = {one.id: one.name for one in visit.accounts}
    links = "".join(
        f'<a href="/dashboard?account={safe(one.account_id)}"'
        f"{' aria-current=true' if one.account_id == account.id else ''}>"
        f"{safe(names[one.account_id], longest=60)}: {one.proposals:,} · "
        f"{safe(one.stake)} a day</a>"
        for one in waiting(visit.session, person=visit.person, now=visit.now)
    )
    said = f"Waiting in all accounts: {links}" if links else "Nothing waits in any account."
    return f'<nav class="where" aria-label="Waiting by account">{said}</nav>'


def _names(visit: Visit, board: Dashboard) -> dict[str, str]:
    """Return the names of the entities that the score's advice is about, by "type:id"."""
    ids = [
        str(one.get("entity")).rpartition(":")[2]
        for one in (board.score.recommendations if board.score else ())
    ]
    rows = visit.session.scalars(
        select(EntityRow).where(
            EntityRow.ad_account_id == board.account.id, EntityRow.entity_id.in_(ids)
        )
    )
    return {f"{row.entity_type}:{row.entity_id}": row.name for row in rows}
