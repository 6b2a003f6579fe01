"""One look or one decision of one person: who, when, what the browser asked, what it gets.

Reads   what the browser sent, which may be anything.
Gives   `Visit`, `Ask`, `Answer`.
Never   trusts a length, a type or a key that came from a browser.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.errors import InvalidValueError
from intel_ml.data.store.accounts import accounts
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.ui.wording import safe

_LONGEST = 500
_MOST_KEYS = 500
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Visit:
    """A transaction, the person in it, the platform's moment, this installation's limits.

    `executes` is whether this installation has an executor that may act.
    """

    session: Session
    person: Person
    now: datetime
    limits: Limits
    executes: bool = True

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts this person may see."""
        mine = set(self.person.accounts)
        return tuple(account for account in accounts(self.session) if account.id in mine)


@dataclass(frozen=True, slots=True)
class ActionKey:
    """How a page names an action."""

    account_id: str
    action_id: int

    def __str__(self) -> str:
        return f"{self.account_id}:{self.action_id}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What the browser wants: a kind, where it stands, and what it has on screen already."""

    kind: str = "look"
    account: str | None = None
    search: str = ""
    opened: ActionKey | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[ActionKey, ...] = ()

    def word(self, name: str) -> str:
        """Return one of the further values, empty when it was not sent."""
        return self.words.get(name, "")


Answer = dict[str, Any]


def ask_of(sent: object) -> Ask:
    """Return what was asked, or say what is wrong with it."""
    if not isinstance(sent, Mapping):
        raise InvalidValueError(path="request", problem="is not an object")
    words = {str(k)[:40]: str(v)[:_LONGEST] for k, v in sent.items() if isinstance(v, str | int)}
    listed = sent.get("keys")
    keys = [action_key(str(k)) for k in listed[:_MOST_KEYS]] if isinstance(listed, list) else []
    return Ask(
        kind=words.get("kind", "look"),
        account=words.get("account") or None,
        search=words.get("search", "").strip(),
        opened=action_key(words["opened"]) if words.get("opened") else None,
        words=words,
        keys=tuple(keys),
    )


def action_key(text: str) -> ActionKey:
    """Return `account:action`.

    >>> action_key("act_101:7")
    ActionKey(account_id='act_101', action_id=7)
    """
    account_id, _, number = text.rpartition(":")
    if not account_id or not number.isdecimal() or len(number) > _MOST_DIGITS:
        raise InvalidValueError(path="opened", problem="is not account:action")
    return ActionKey(account_id, int(number))


def digest(html: str) -> str:
    """Return a short fingerprint, so that what is on screen already is not sent again."""
    return hashlib.sha256(html.encode()).hexdigest()[:16]


def account_choice(visit: Visit, chosen: str | None, *, all_accounts: str | None = None) -> str:
    """Return the drop-down of accounts; `all_accounts` names the choice of all of them."""
    if len(visit.accounts) <= 1:
        names = "".join(f"<b>{safe(one.name, longest=60)}</b>" for one in visit.accounts)
        return "" if all_accounts else names
    first = f'<option value="">{safe(all_accounts)}</option>' if all_accounts else ""
    options = "".join(
        f'<option value="{safe(account.id)}"{" selected" if account.id == chosen else ""}>'
        f"{safe(account.name, longest=60)} ({safe(account.currency)})</option>"
        for account in visit.accounts
    )
    return f'<select data-set="account" aria-label="Account">{first}{options}</select>'
