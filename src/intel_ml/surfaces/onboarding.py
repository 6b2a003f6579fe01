"""Take on an account: its facts, its targets, the default rules.

Reads   what the ad platform says of its accounts, or what a file's owner says.
Gives   accounts in the store with the plan's default rules, ready for the first look.
Never   overwrites targets or rules that people have set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from intel_ml.core.accounts import Account
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import account_id as parse_account_id
from intel_ml.core.money import Money, currency_offset, money_from_major
from intel_ml.core.recommendations import Mode
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.operations.rulebook import install_defaults

if TYPE_CHECKING:
    from intel_ml.data.meta.reader import MetaReader

Targets = Mapping[str, tuple[Money | None, float | None]]


def same_targets(reader: MetaReader, *, cpa: str | None, roas: float | None) -> Targets:
    """Return one target for every account the token can see, `cpa` in each one's own currency."""
    return {
        facts.id: (money_from_major(cpa, facts.currency) if cpa else None, roas)
        for facts in reader.accounts()
    }


def onboard_accounts(
    store: Store, reader: MetaReader, *, targets: Targets, only: str | None = None
) -> list[Account]:
    """Take on every account the token can see (or `only` one), with the default rules."""
    from intel_ml.data.collection.onboarding import onboard  # noqa: PLC0415  # the SDK is heavy

    now = store.now()
    found = [a for a in onboard(store, reader, now=now, targets=targets) if only in {None, a.id}]
    if only and not found:
        raise NotFoundError(f"The token cannot see account '{only}'.")
    with store.session() as session:
        for account in found:
            install_defaults(session, account, now=now)
    return found


def file_account(
    store: Store, *, account_id: str, currency: str, time_zone: str, now: datetime
) -> Account:
    """Return the account a file belongs to, created when it is new."""
    parsed = parse_account_id(account_id)
    currency_offset(currency)
    with store.session() as session:
        try:
            return stored.account(session, parsed)
        except NotFoundError:
            account = Account(
                id=parsed,
                name=f"Imported {parsed}",
                currency=currency,
                time_zone=time_zone,
                target_cpa=None,
                target_roas=None,
                mode=Mode.SHADOW,
                source="file",
                onboarded_at=now,
            )
            stored.save_account(session, account)
            return account
