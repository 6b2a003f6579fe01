"""Who is asking: passwords, login cookies and bearer tokens.

Reads   a name and a password, a signed cookie, or an `Authorization` header.
Gives   the `Person` behind it, with a role for each account they may see.
Never   repeats a password, cookie or token in an error; never tells an unknown name from a wrong
        password, in words or in time.

A cookie is `version.person.expires.name.signature`: HMAC-SHA256 over all but the last, under the
installation's session secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.errors import InvalidValueError, NotAllowedError
from intel_ml.data.store.accounts import person_named, person_of_token

COOKIE_NAME = "intel_session"
SESSION_VALID = timedelta(hours=12)
LONGEST_PASSWORD = 1024
SHORTEST_SECRET = 16

_VERSION = "1"
_PARTS = 5
_LONGEST_COOKIE = 1024
_LONGEST_TOKEN = 200


class NotLoggedInError(NotAllowedError):
    """Nobody we know is asking: HTTP 401."""

    hint = "Send `Authorization: Bearer TOKEN`; `intel-ml token create` makes one."


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one guess of a password costs (argon2id); tests use less."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


STANDARD_COST = HashCost()


def hash_password(password: str, *, cost: HashCost = STANDARD_COST) -> str:
    """Return the argon2id hash of a password, salted."""
    if not password or len(password) > LONGEST_PASSWORD:
        raise InvalidValueError(
            path="password", problem=f"must have 1 to {LONGEST_PASSWORD} characters"
        )
    return _hasher(cost).hash(password)


def login(
    session: Session, name: str, password: str, *, cost: HashCost = STANDARD_COST
) -> Person | None:
    """Return the person with this name and password, None otherwise.

    An unknown name costs the same as a wrong password: a hash that nothing matches is checked
    in its place.
    """
    if not name or "\x00" in name or not password or len(password) > LONGEST_PASSWORD:
        return None
    found = person_named(session, name)
    stored = found[1] if found else _nobody(cost)
    try:
        is_right = _hasher(cost).verify(password, stored)
    except PwdlibError:
        is_right = False
    return found[0] if found and is_right else None


def session_cookie(
    person: Person, secret: str, now: datetime, *, valid: timedelta = SESSION_VALID
) -> str:
    """Return the value of a login cookie: signed, and worthless after `valid`."""
    expires = int((now + valid).timestamp())
    name = base64.urlsafe_b64encode(person.name.encode()).decode().rstrip("=")
    claim = f"{_VERSION}.{person.id}.{expires}.{name}"
    return f"{claim}.{_signature(claim, secret)}"


def person_of_cookie(
    session: Session, cookie: str | None, secret: str, now: datetime
) -> Person | None:
    """Return whose cookie this is; None where it is missing, forged or expired, or they left."""
    if not cookie or len(cookie) > _LONGEST_COOKIE or not cookie.isascii():
        return None
    parts = cookie.split(".")
    if len(parts) != _PARTS or parts[0] != _VERSION:
        return None
    claim, signature = ".".join(parts[:-1]), parts[-1]
    if not hmac.compare_digest(signature, _signature(claim, secret)):
        return None
    # Only now are the parts ours: what follows cannot meet a stranger's input.
    _, person_id, expires, encoded = parts[:-1]
    if now >= datetime.fromtimestamp(int(expires), UTC):
        return None
    found = person_named(session, _decoded(encoded))
    return found[0] if found and found[0].id == int(person_id) else None


def person_of_bearer(session: Session, header: str | None) -> Person:
    """Return whom an `Authorization: Bearer …` header speaks for.

    Raises
    ------
    NotLoggedInError
        The header is missing or of another kind, or its token is unknown or revoked.
    """
    if not header:
        raise NotLoggedInError("A bearer token is needed.")
    kind, _, token = header.strip().partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise NotLoggedInError("The Authorization header is not a bearer token.")
    person = None
    if len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable():
        person = person_of_token(session, token)
    if person is None:
        raise NotLoggedInError("The bearer token is unknown or was revoked.")
    return person


def _signature(claim: str, secret: str) -> str:
    if len(secret) < SHORTEST_SECRET:
        raise InvalidValueError(
            path="INTEL_SESSION_SECRET",
            problem=f"is shorter than {SHORTEST_SECRET} characters",
            hint="Set it to a long random text, the same for every process.",
        )
    digest = hmac.digest(secret.encode(), claim.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _decoded(encoded: str) -> str:
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


@lru_cache(maxsize=4)
def _hasher(cost: HashCost) -> PasswordHash:
    hasher = Argon2Hasher(
        time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
    )
    return PasswordHash((hasher,))


@lru_cache(maxsize=4)
def _nobody(cost: HashCost) -> str:
    return _hasher(cost).hash("a password that nobody has, checked in place of an unknown person's")
