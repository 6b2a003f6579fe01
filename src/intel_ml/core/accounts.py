"""An ad account as the rest of the program knows it, and the people who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money, currency_offset
from intel_ml.core.recommendations import Mode, Role

_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Account:
    """One ad account: its currency, its days, its targets, and whose recommendation is shown."""

    id: AdAccountId
    name: str
    currency: str
    time_zone: str
    target_cpa: Money | None
    target_roas: float | None
    mode: Mode
    source: str
    onboarded_at: datetime

    @property
    def currency_offset(self) -> int:
        """How many minor units make one major unit."""
        return currency_offset(self.currency)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone logged in: an id, a name, and a role for each account they may see."""

    id: int
    name: str
    roles: tuple[tuple[AdAccountId, Role], ...]

    @property
    def accounts(self) -> tuple[AdAccountId, ...]:
        """The accounts this person may see."""
        return tuple(account for account, _ in self.roles)

    def may(self, role: Role, account: str) -> bool:
        """Return whether this person has at least `role` for `account`."""
        return any(a == account and _RANK[r] >= _RANK[role] for a, r in self.roles)
