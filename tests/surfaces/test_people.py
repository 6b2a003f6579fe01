from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Role
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.onboarding import file_account
from intel_ml.surfaces.people import add_person, new_token

PASSWORD = "long enough"  # noqa: S105  # of nobody
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def known(store: Store, account_id: str, *, currency: str) -> Account:
    found = file_account(
        store, account_id=account_id, currency=currency, time_zone="Asia/Tokyo", now=NOW
    )
    with store.session() as session:
        stored.save_account(session, found)
    return found


def test_a_person_gets_a_role_for_the_accounts_and_a_token_speaks_for_them(store: Store):
    known(store, "act_1", currency="USD")
    known(store, "act_2", currency="JPY")
    granted = add_person(store, name="ana", password=PASSWORD, role="approver", accounts=["act_2"])
    assert granted == ["act_2"]
    token = new_token(store, user="ana", name="laptop")
    with store.session() as session:
        person = stored.person_of_token(session, token)
        assert person is not None
        assert person.may(Role.APPROVER, "act_2")
        assert not person.may(Role.OPERATOR, "act_2")
        assert not person.may(Role.VIEWER, "act_1")
        assert stored.person_of_token(session, token + "x") is None


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"password": "short"}, InvalidValueError, "at least 8"),
        ({"role": "aprover"}, UnknownNameError, "Did you mean 'approver'"),
        ({"accounts": ["act_9"]}, NotFoundError, "act_9"),
    ],
)
def test_what_cannot_be_granted_is_said_and_nobody_is_let_in(
    store: Store, values: dict[str, object], error: type[Exception], says: str
):
    given = {"name": "bob", "password": PASSWORD, "role": "viewer"} | values
    with pytest.raises(error, match=says):
        add_person(store, **given)
    with store.session() as session:
        assert stored.person_named(session, "bob") is None


def test_a_files_account_that_is_known_keeps_its_currency_and_targets(store: Store):
    first = known(store, "act_1", currency="EUR")
    with store.session() as session:
        stored.set_targets(session, first.id, cpa=Money(25_00, "EUR"), roas=2.0)
    again = file_account(store, account_id="act_1", currency="USD", time_zone="UTC", now=NOW)
    assert (again.currency, again.target_cpa) == ("EUR", Money(25_00, "EUR"))
