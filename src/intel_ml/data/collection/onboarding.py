"""The accounts of a token, with what they are judged by.

Reads   the accounts a token may read; targets from the person who owns them.
Gives   `Account`s, stored.
Never   guesses a target: an account without one is judged by nothing that needs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from intel_ml.core.accounts import Account
from intel_ml.core.days import time_zone
from intel_ml.core.errors import InvalidValueError
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
    store: Store, reader: AccountReader, *, now: datetime, targets: Targets
) -> list[Account]:
    """Store every account the token may read, new ones in shadow mode; return them all, by id.

    `targets`: cost per result and return on ad spend by account id; named ones replace what was
    set before.
    """
    found = [_account(facts, now=now, targets=targets) for facts in reader.accounts(now=now)]
    _refuse_unknown(targets, found)
    with store.session() as session:
        for account in found:
            stored.save_account(session, account)
            session.flush()
            if account.id in targets:
                cpa, roas = targets[account.id]
                stored.set_targets(session, account.id, cpa=cpa, roas=roas)
        session.flush()
        known = {account.id: account for account in stored.accounts(session)}
    return sorted((known[account.id] for account in found), key=lambda account: account.id)


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


def _refuse_unknown(targets: Targets, found: list[Account]) -> None:
    unknown = sorted(set(targets) - {account.id for account in found})
    if unknown:
        raise InvalidValueError(
            path="targets",
            problem=f"the token cannot read {', '.join(unknown)}",
            hint=f"It can read: {', '.join(account.id for account in found) or 'no account'}.",
        )
