"""Accounts, people, rights and tokens: rows in, domain values out.

Reads   `intel_ad_account`, `intel_user`, `intel_membership`, `intel_api_token`.
Gives   `Account` and `Person`.
Never   keeps or returns a token: only its SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import AdAccount, ApiToken, Membership, User


def accounts(session: Session) -> list[Account]:
    """Return every account, by id."""
    rows = session.scalars(select(AdAccount).order_by(AdAccount.ad_account_id))
    return [_account(row) for row in rows]


def account(session: Session, account_id: str) -> Account:
    """Return one account, or say that there is none."""
    row = session.get(AdAccount, account_id)
    if row is None:
        raise NotFoundError(
            f"There is no account '{account_id}'.", hint="`intel-ml status` lists them."
        )
    return _account(row)


def save_account(session: Session, value: Account) -> None:
    """Insert the account, or update its facts; targets and mode stay as people set them."""
    target = value.target_cpa.minor if value.target_cpa else None
    statement = insert(AdAccount).values(
        ad_account_id=value.id,
        name=value.name,
        currency=value.currency,
        currency_offset=value.currency_offset,
        time_zone=value.time_zone,
        target_cpa_minor=target,
        target_roas=value.target_roas,
        mode=value.mode,
        share_learning=False,
        source=value.source,
        onboarded_at=value.onboarded_at,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["ad_account_id"],
            set_={"name": value.name, "currency": value.currency, "time_zone": value.time_zone},
        )
    )


def set_targets(
    session: Session, account_id: str, *, cpa: Money | None, roas: float | None
) -> None:
    """Set what the account is judged by."""
    row = session.get_one(AdAccount, account_id)
    row.target_cpa_minor = cpa.minor if cpa else None
    row.target_roas = roas


def set_mode(session: Session, account_id: str, mode: Mode) -> None:
    """Set whose recommendation is shown for the account."""
    session.get_one(AdAccount, account_id).mode = mode


def sharing(session: Session) -> list[str]:
    """Return the accounts that lend each other what they have learned, by id."""
    rows = select(AdAccount.ad_account_id).where(AdAccount.share_learning)
    return list(session.scalars(rows.order_by(AdAccount.ad_account_id)))


def set_sharing(session: Session, account_id: str, *, shares: bool) -> None:
    """Set whether the account lends what it has learned to others that do, and borrows."""
    session.get_one(AdAccount, account_id).share_learning = shares


def save_person(session: Session, *, name: str, password_hash: str, now: datetime) -> int:
    """Insert the person or replace the password; return the id."""
    statement = insert(User).values(
        name=name, password_hash=password_hash, is_active=True, created_at=now
    )
    return session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"password_hash": password_hash, "is_active": True}
        ).returning(User.id)
    ).scalar_one()


def grant(session: Session, *, user_id: int, account_id: str, role: Role) -> None:
    """Give a person a role for an account, replacing the one before."""
    statement = insert(Membership).values(ad_account_id=account_id, user_id=user_id, role=role)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["ad_account_id", "user_id"], set_={"role": role}
        )
    )


def person_named(session: Session, name: str) -> tuple[Person, str] | None:
    """Return the active person called `name` with the password's hash, None when there is none."""
    row = session.scalar(select(User).where(User.name == name, User.is_active))
    return (_person(session, row), row.password_hash) if row else None


def person_of_token(session: Session, token: str) -> Person | None:
    """Return whom a bearer token speaks for, None when it is unknown or revoked."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = session.scalar(
        select(ApiToken).where(ApiToken.token_sha256 == digest, ApiToken.revoked_at.is_(None))
    )
    user = session.get(User, row.user_id) if row else None
    return _person(session, user) if user is not None and user.is_active else None


def create_token(session: Session, *, user_id: int, name: str) -> str:
    """Create a token and return it: the only moment at which anyone can read it."""
    token = f"intel_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    session.add(
        ApiToken(user_id=user_id, name=name, token_sha256=digest, created_at=platform_now(session))
    )
    return token


def _account(row: AdAccount) -> Account:
    target = None if row.target_cpa_minor is None else Money(row.target_cpa_minor, row.currency)
    return Account(
        id=AdAccountId(row.ad_account_id),
        name=row.name,
        currency=row.currency,
        time_zone=row.time_zone,
        target_cpa=target,
        target_roas=row.target_roas,
        mode=Mode(row.mode),
        source=row.source,
        onboarded_at=row.onboarded_at,
    )


def _person(session: Session, row: User) -> Person:
    memberships = session.scalars(
        select(Membership).where(Membership.user_id == row.id).order_by(Membership.ad_account_id)
    )
    roles = tuple((AdAccountId(m.ad_account_id), Role(m.role)) for m in memberships)
    return Person(id=row.id, name=row.name, roles=roles)
