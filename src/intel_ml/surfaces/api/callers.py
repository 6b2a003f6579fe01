"""Who calls, what the application works with, and what the caller may see.

Reads   the `Authorization` header; the store and settings of the application.
Gives   `Caller` and `Platform` as dependencies of routes; the accounts a request is about.
Never   tells another tenant's ids from ids that do not exist: both are 404.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from intel_ml.core.accounts import Person
from intel_ml.core.errors import NotAllowedError, NotFoundError
from intel_ml.core.recommendations import Role
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.auth import person_of_bearer
from intel_ml.surfaces.settings import Settings

LARGEST_ID = 2**63 - 1

_bearer = HTTPBearer(auto_error=False, description="A token from `intel-ml token create`.")


@dataclass(frozen=True, slots=True)
class Platform:
    """What every route works with."""

    store: Store
    settings: Settings


def platform_of(request: Request) -> Platform:
    """Return what the application was created with."""
    platform: Platform = request.app.state.platform
    return platform


def caller_of(
    request: Request,
    platform: Annotated[Platform, Depends(platform_of)],
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Person:
    """Return whose token this is."""
    with platform.store.session() as session:
        return person_of_bearer(session, request.headers.get("authorization"))


ThePlatform = Annotated[Platform, Depends(platform_of)]
Caller = Annotated[Person, Depends(caller_of)]
AccountId = Annotated[
    str | None,
    Query(
        description="One account; without it, all you may see.", max_length=64, examples=["act_101"]
    ),
]


def visible_account(person: Person, account_id: str, *, role: Role = Role.VIEWER) -> str:
    """Return the account if the person may see it; say so where only the role is missing."""
    if not person.may(Role.VIEWER, account_id):
        raise no_account(account_id)
    if not person.may(role, account_id):
        raise NotAllowedError(
            f"This needs the role '{role}' for {account_id}.",
            hint="An admin of the account grants it.",
        )
    return account_id


def visible_accounts(person: Person, account_id: str | None) -> list[str]:
    """Return the accounts a request is about: the one named, or all that the person may see."""
    if account_id is None:
        return list(person.accounts)
    return [visible_account(person, account_id)]


def no_account(account_id: str) -> NotFoundError:
    """Return the answer to an account that does not exist, or not for this caller."""
    return NotFoundError(
        f"There is no account '{account_id[:64]}' that you may see.",
        hint="GET /api/intelligence/dashboard lists yours.",
    )
