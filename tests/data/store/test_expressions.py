"""Expressions run inside the database, for many moments at once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibis import _
from sqlalchemy.exc import DataError

from intel_ml.data.store.expressions import account_moment, history_tables, run
from intel_ml.data.store.sessions import Store
from tests.features.histories import account

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis wants them bare
def test_the_share_of_a_day_is_a_share_and_the_day_is_the_account_s(moment: datetime) -> None:
    seen = account_moment(account(time_zone="America/New_York"), moment)
    assert 0 <= seen.day_share < 1
    assert abs(seen.day_share * 24 - seen.hour_of_day) < 2.5
    assert seen.day_of_week == f"{seen.day:%A}"


def test_a_day_of_25_hours_is_as_long_as_it_is() -> None:
    zone = account(time_zone="America/New_York")
    seen = account_moment(zone, datetime(2026, 11, 1, 16, 30, tzinfo=UTC))
    assert seen.day == date(2026, 11, 1)
    assert seen.day_share == pytest.approx(12.5 / 25)
    assert seen.hour_of_day == 11


def test_a_percent_sign_in_an_expression_reaches_the_database(store: Store) -> None:
    moments = history_tables()["moments"]
    expression = moments.select(
        "ad_account_id",
        found=_.day_of_week.like("Sun%"),
        rest=_.hour_of_day % 5,
        sign=ibis.literal("100 %s"),
    )
    with store.connection() as connection:
        columns = run(connection, expression, moments=[account_moment(account(), NOON)])
    assert columns == {"ad_account_id": ["act_1"], "found": [True], "rest": [2], "sign": ["100 %s"]}


def test_every_moment_is_answered_and_none_gives_empty_columns(store: Store) -> None:
    expression = history_tables()["moments"].order_by("as_of")
    asked = [account_moment(account(), NOON.replace(hour=hour)) for hour in (12, 3)]
    with store.connection() as connection:
        columns = run(connection, expression, moments=asked)
        nothing = run(connection, expression, moments=[])
    assert columns["as_of"] == [NOON.replace(hour=3), NOON]
    assert columns["day_share"] == [0.125, 0.5]
    assert nothing == {name: [] for name in columns}


def test_hostile_names_stay_values(store: Store) -> None:
    name = "act_1'); DROP TABLE intel_entity; --"
    with store.connection() as connection:
        columns = run(
            connection, history_tables()["moments"], moments=[account_moment(account(name), NOON)]
        )
    assert columns["ad_account_id"] == [name]


def test_tables_carry_the_store_s_columns(store: Store) -> None:
    for name, table in history_tables().items():
        with store.connection() as connection:
            columns = run(connection, table, moments=[])
        assert set(table.columns) <= set(columns), name


def test_the_planner_is_left_as_it_was_even_after_an_error(store: Store) -> None:
    moments = history_tables()["moments"]
    broken = moments.mutate(wrong=_.ad_account_id.cast("int64"))
    with store.connection() as connection:
        run(connection, moments, moments=[account_moment(account(), NOON)])
        with pytest.raises(DataError):
            run(connection, broken, moments=[account_moment(account(), NOON)])
        for setting in ("enable_nestloop", "enable_mergejoin"):
            assert connection.exec_driver_sql(f"SHOW {setting}").scalar() == "on"
        assert connection.exec_driver_sql("SHOW work_mem").scalar() != "32MB"
