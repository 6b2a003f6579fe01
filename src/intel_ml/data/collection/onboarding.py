"""The accounts of a token, with what they are judged by.

Reads   the accounts a token may read; targets from the person who owns them.
Gives   `Account`s, stored.
Never   guesses a target: an account without one is judged by nothing that needs one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.days import time_zone
from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.data.meta.reader import AccountFacts
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store

Targets = Mapping[str, tuple[Money | None, float | None]]


class AccountReader(Protocol):
    """Whoever can list accounts."""

    def accounts(self, *, now: datetime | None) -> list[AccountFacts]:
        """Return the accounts that may be read."""
        ...


def onboard(
    store: Store,
    reader: AccountReader,
    *,
    now: datetime,
    targets: Targets,
    only: str | None = None,
) -> list[Account]:
    """Store the accounts the token may read, new ones in shadow mode; return them, by id.

    `targets`: cost per result and return on ad spend by account id; a named one replaces what was
    set before, a None leaves it as it is. With `only`, no other account is taken on.
    """
    seen = reader.accounts(now=now)
    chosen = [facts for facts in seen if only in {None, facts.id}]
    if only is not None and not chosen:
        raise NotFoundError(f"The token cannot read account '{only}'.", hint=_readable(seen))
    found = [_account(facts, now=now, targets=targets) for facts in chosen]
    _refuse_unknown(targets, seen)
    with store.session() as session:
        for account in found:
            stored.save_account(session, account)
            session.flush()
            if account.id in targets:
                _set_targets(session, account.id, *targets[account.id])
        session.flush()
        known = {account.id: account for account in stored.accounts(session)}
    return sorted((known[account.id] for account in found), key=lambda account: account.id)


def _set_targets(
    session: Session, account_id: AdAccountId, cpa: Money | None, roas: float | None
) -> None:
    before = stored.account(session, account_id)
    stored.set_targets(
        session,
        account_id,
        cpa=before.target_cpa if cpa is None else cpa,
        roas=before.target_roas if roas is None else roas,
    )


def _account(facts: AccountFacts, *, now: datetime, targets: Targets) -> Account:
    time_zone(facts.time_zone)
    cpa, roas = targets.get(facts.id, (None, None))
    if cpa is not None and cpa.currency != facts.currency:
        raise InvalidValueError(
            path=f"targets.{facts.id}",
            problem=f"{cpa} is not in the account's currency, {facts.currency}",
        )
    return Account(
        id=facts.id,
        name=facts.name,
        currency=facts.currency,
        time_zone=facts.time_zone,
        target_cpa=cpa,
        target_roas=roas,
        mode=Mode.SHADOW,
        source="api",
        onboarded_at=now,
    )


def _refuse_unknown(targets: Targets, seen: Sequence[AccountFacts]) -> None:
    unknown = sorted(set(targets) - {facts.id for facts in seen})
    if unknown:
        raise InvalidValueError(
            path="targets",
            problem=f"the token cannot read {', '.join(unknown)}",
            hint=_readable(seen),
        )


def _readable(seen: Sequence[AccountFacts]) -> str:
    return f"It can read: {', '.join(facts.id for facts in seen) or 'no account'}."
