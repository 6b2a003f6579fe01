"""Who may log in, and which tokens speak for them."""

from __future__ import annotations

from collections.abc import Sequence

from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.recommendations import Role
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.auth import hash_password

_SHORTEST_PASSWORD = 8


def add_person(
    store: Store, *, name: str, password: str, role: str, accounts: Sequence[str] | None = None
) -> list[str]:
    """Let a person log in with a role for the accounts (default: all); return those accounts."""
    if role not in list(Role):
        raise UnknownNameError(kind="role", name=role, known=list(Role))
    if len(password) < _SHORTEST_PASSWORD:
        raise InvalidValueError(
            path="password",
            problem="is too short",
            hint=f"Use at least {_SHORTEST_PASSWORD} characters.",
        )
    now = store.now()
    with store.session() as session:
        user_id = stored.save_person(
            session, name=name, password_hash=hash_password(password), now=now
        )
        chosen = [stored.account(session, a).id for a in accounts] if accounts else None
        granted = chosen if chosen is not None else [a.id for a in stored.accounts(session)]
        for account in granted:
            stored.grant(session, user_id=user_id, account_id=account, role=Role(role))
    return [str(account) for account in granted]


def new_token(store: Store, *, user: str, name: str) -> str:
    """Create a token that speaks for `user`; this is the only moment anyone can read it."""
    with store.session() as session:
        found = stored.person_named(session, user)
        if found is None:
            raise NotFoundError(
                f"There is no user '{user}'.", hint="Create one with `intel-ml user add`."
            )
        return stored.create_token(session, user_id=found[0].id, name=name)
