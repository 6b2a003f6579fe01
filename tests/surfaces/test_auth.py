"""Who is asking: only the right password, cookie or token says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.accounts import Account, Person
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store.accounts import create_token, grant, save_account, save_person
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import User
from intel_ml.surfaces.auth import (
    HashCost,
    NotLoggedInError,
    hash_password,
    login,
    person_of_bearer,
    person_of_cookie,
    session_cookie,
)

CHEAP = HashCost(passes=1, memory_kib=8, lanes=1)
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECRET = "a phrase of these tests, and long enough"  # noqa: S105  # signs nothing real
ACCOUNT = AdAccountId("act_101")


@pytest.fixture
def ada(store: Store) -> Person:
    account = Account(ACCOUNT, "Shop", "EUR", "UTC", None, None, Mode.SHADOW, "api", NOW)
    with store.session() as session:
        save_account(session, account)
        user = save_person(
            session, name="ada", password_hash=hash_password("right", cost=CHEAP), now=NOW
        )
        grant(session, user_id=user, account_id=ACCOUNT, role=Role.APPROVER)
    return Person(id=user, name="ada", roles=((ACCOUNT, Role.APPROVER),))


def test_the_right_password_logs_in(store: Store, ada: Person) -> None:
    with store.session() as session:
        assert login(session, "ada", "right", cost=CHEAP) == ada


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("bob", "right"),
        ("", "right"),
        ("ada", ""),
        ("a\x00", "right"),
        ("ada", "x" * 2000),
    ],
)
@pytest.mark.usefixtures("ada")
def test_nothing_else_logs_in(store: Store, name: str, password: str) -> None:
    with store.session() as session:
        assert login(session, name, password, cost=CHEAP) is None


def test_a_password_is_stored_salted() -> None:
    assert hash_password("same", cost=CHEAP) != hash_password("same", cost=CHEAP)
    assert "same" not in hash_password("same", cost=CHEAP)


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        hash_password("", cost=CHEAP)


def test_a_cookie_leads_back_to_its_person_until_it_expires(store: Store, ada: Person) -> None:
    cookie = session_cookie(ada, SECRET, NOW, valid=timedelta(hours=1))
    with store.session() as session:
        assert person_of_cookie(session, cookie, SECRET, NOW) == ada
        assert person_of_cookie(session, cookie, SECRET, NOW + timedelta(minutes=59)) == ada
        assert person_of_cookie(session, cookie, SECRET, NOW + timedelta(hours=1)) is None
        assert person_of_cookie(session, cookie, SECRET + "!", NOW) is None


def test_an_altered_or_foreign_cookie_is_nobodys(store: Store, ada: Person) -> None:
    cookie = session_cookie(ada, SECRET, NOW)
    with store.session() as session:
        for place in range(len(cookie) - 1):  # the last character of base64 carries padding bits
            other = "A" if cookie[place] != "A" else "B"
            altered = cookie[:place] + other + cookie[place + 1 :]
            assert person_of_cookie(session, altered, SECRET, NOW) is None


def test_a_cookie_of_someone_who_left_is_nobodys(store: Store, ada: Person) -> None:
    cookie = session_cookie(ada, SECRET, NOW)
    with store.session() as session:
        session.get_one(User, ada.id).is_active = False
        session.flush()
        assert person_of_cookie(session, cookie, SECRET, NOW) is None


def test_a_short_secret_signs_nothing(ada: Person) -> None:
    with pytest.raises(InvalidValueError, match="INTEL_SESSION_SECRET"):
        session_cookie(ada, "short", NOW)


@settings(deadline=None)
@given(garbage=st.text(max_size=200))
def test_a_made_up_cookie_is_refused_before_the_database_is_asked(garbage: str) -> None:
    assert person_of_cookie(None, garbage, SECRET, NOW) is None  # type: ignore[arg-type]


def test_a_token_speaks_for_its_person(store: Store, ada: Person) -> None:
    with store.session() as session:
        token = create_token(session, user_id=ada.id, name="test")
    with store.session() as session:
        assert person_of_bearer(session, f"Bearer {token}") == ada
        assert person_of_bearer(session, f"bearer  {token} ") == ada


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer intel_unknown",
        "Bearer \xff\x00",
        "Bearer " + "x" * 9999,
    ],
)
def test_any_other_header_is_refused_without_repeating_it(store: Store, header: str | None) -> None:
    with store.session() as session, pytest.raises(NotLoggedInError) as refused:
        person_of_bearer(session, header)
    assert "intel_unknown" not in str(refused.value)
