"""Take on an account: its facts, its targets, the default rules.

Reads   what the ad platform says of its accounts, or what a file's owner says.
Gives   accounts in the store with the plan's default rules, ready for the first look.
Never   overwrites targets or rules that people have set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from intel_ml.core.accounts import Account
from intel_ml.core.days import time_zone as known_zone
from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.ids import account_id as parse_account_id
from intel_ml.core.money import Money, currency_offset, money_from_major
from intel_ml.core.recommendations import Mode
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.operations.rulebook import install_defaults

if TYPE_CHECKING:
    from intel_ml.data.meta.reader import MetaReader

Targets = Mapping[str, tuple[Money | None, float | None]]

_LARGEST_CPA = Decimal(10**12)


def same_targets(
    reader: MetaReader, *, cpa: str | None, roas: float | None, only: str | None = None
) -> Targets:
    """Return one target for the accounts the token can see, `cpa` in each one's own currency.

    With neither, no target is touched.
    """
    if cpa is None and roas is None:
        return {}
    earned = None if roas is None else target_roas(roas)
    return {
        facts.id: (None if cpa is None else target_cpa(cpa, facts.currency), earned)
        for facts in reader.accounts()
        if only in {None, facts.id}
    }


def target_cpa(text: str, currency: str) -> Money:
    """Return a target cost per result in major units of `currency`, or say why it cannot be one.

    >>> target_cpa("20", "USD")
    Money(minor=2000, currency='USD')
    """
    try:
        is_plausible = 0 < Decimal(text) <= _LARGEST_CPA
    except InvalidOperation:
        is_plausible = False
    cost = money_from_major(text, currency) if is_plausible else None
    if cost is None or cost.minor <= 0:
        raise InvalidValueError(
            path="cpa",
            problem=f"'{text[:40]}' is not a cost in {currency}",
            hint="Write a number above 0, like 25.",
        )
    return cost


def target_roas(value: float) -> float:
    """Return a target return on ad spend, or say why it cannot be one."""
    if not (math.isfinite(value) and value > 0):
        raise InvalidValueError(
            path="roas", problem=f"{value:g} is not a return", hint="Write 2.5 for 250%."
        )
    return value


def onboard_accounts(
    store: Store, reader: MetaReader, *, targets: Targets, only: str | None = None
) -> list[Account]:
    """Take on every account the token can see (or `only` one), with the default rules."""
    from intel_ml.data.collection.onboarding import onboard  # noqa: PLC0415  # the SDK is heavy

    now = store.now()
    found = onboard(store, reader, now=now, targets=targets, only=only)
    with store.session() as session:
        for account in found:
            install_defaults(session, account, now=now)
    return found


def file_account(
    store: Store, *, account_id: str, currency: str, time_zone: str, now: datetime
) -> Account:
    """Return the account a file belongs to; a new one is stored by the import, with its rows."""
    parsed = parse_account_id(account_id)
    currency_offset(currency)
    try:
        known_zone(time_zone)
    except OSError:
        # A region such as "America" is a folder of the zone files.
        raise InvalidValueError(
            path="time_zone", problem=f"'{time_zone}' is a region", hint="Example: Asia/Tokyo."
        ) from None
    with store.session() as session:
        try:
            return stored.account(session, parsed)
        except NotFoundError:
            return Account(
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
