"""What was delivered, into the store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from intel_ml.core.ids import AdAccountId, EntityId, EntityType
from intel_ml.data.facts import Delivered, Pixel, Refused
from intel_ml.data.store.performance import (
    ensure_partitions,
    last_daily_reads,
    write_daily,
    write_pixels,
    write_quarantine,
    write_snapshots,
)
from intel_ml.data.store.staging import MOST_IN_ONE_PARAMETER

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = date(2026, 11, 20)
ACCOUNT = AdAccountId("act_1")


def fact(identity="1", day=DAY, **values) -> Delivered:
    full = {
        "impressions": 100,
        "spend_minor": 1435,
        "conversions": 2.0,
        "actions": {"purchase": 2.0},
        **values,
    }
    return Delivered(ACCOUNT, EntityType.AD, EntityId(identity), day, **full)


def rows(store, sql, **values):
    with store.connection() as connection:
        return connection.execute(text(sql), values).all()


def snapshots(store):
    return rows(store, "SELECT * FROM intel_performance_snapshot ORDER BY entity_id, day, seen_at")


def days(store):
    return rows(
        store,
        "SELECT seen_at, spend_minor, conversions FROM intel_performance_daily ORDER BY seen_at",
    )


def test_the_same_hour_collected_twice_gives_identical_rows(store):
    found = [fact("1"), fact("2", reach=None, actions=None)]
    seen = []
    for _ in range(2):
        with store.connection() as connection:
            assert write_snapshots(connection, found, seen_at=NOW) == 2
        seen.append(snapshots(store))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


def test_unknown_stays_null_and_zero_stays_zero(store):
    with store.connection() as connection:
        write_snapshots(connection, [fact(reach=None, clicks=0)], seen_at=NOW)
    ((reach, clicks),) = rows(store, "SELECT reach, clicks FROM intel_performance_snapshot")
    assert (reach, clicks) == (None, 0)


def test_each_hour_is_a_row_of_its_own_in_the_partition_of_its_day(store):
    with store.connection() as connection:
        for hour in range(3):
            write_snapshots(connection, [fact(impressions=hour)], seen_at=NOW + hour * HOUR)
        write_snapshots(connection, [fact(day=DAY + timedelta(days=1))], seen_at=NOW + 13 * HOUR)
    counts = rows(
        store,
        "SELECT tableoid::regclass::text, count(*) FROM intel_performance_snapshot "
        "GROUP BY 1 ORDER BY 1",
    )
    assert [tuple(row) for row in counts] == [
        ("intel_performance_snapshot_20261120", 3),
        ("intel_performance_snapshot_20261121", 1),
    ]


def test_a_partition_that_was_dropped_is_created_again(store):
    with store.connection() as connection:
        write_snapshots(connection, [fact()], seen_at=NOW)
    with store.connection() as connection:
        connection.execute(text("DROP TABLE intel_performance_snapshot_20261120"))
    with store.connection() as connection:
        write_snapshots(connection, [fact()], seen_at=NOW)
    assert len(snapshots(store)) == 1


def test_a_transaction_that_is_rolled_back_leaves_neither_rows_nor_a_belief_in_its_partition(store):
    with store.engine.connect() as connection:
        write_snapshots(connection, [fact()], seen_at=NOW)
        connection.rollback()
    with store.connection() as connection:
        write_snapshots(connection, [fact()], seen_at=NOW)
    assert len(snapshots(store)) == 1


def test_two_collectors_create_one_partition(store):
    ready, failures = threading.Barrier(4), []

    def create(account: str) -> None:
        try:
            with store.connection() as connection:
                ready.wait(5)
                ensure_partitions(connection, [DAY, DAY + timedelta(days=1)])
                write_snapshots(
                    connection, [replace(fact(), account=AdAccountId(account))], seen_at=NOW
                )
        except Exception as error:  # noqa: BLE001  # whatever it is, the test is to fail with it
            failures.append(error)

    threads = [threading.Thread(target=create, args=(f"act_{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(snapshots(store)) == 4


@pytest.mark.parametrize(
    "bad", [{"spend_minor": -1}, {"conversions": float("inf")}, {"conversions": float("nan")}]
)
def test_the_database_refuses_what_cannot_be(store, bad):
    with pytest.raises((IntegrityError, ValueError)), store.connection() as connection:
        write_snapshots(connection, [fact(**bad)], seen_at=NOW)
    assert snapshots(store) == []


def test_a_day_read_again_without_a_change_is_no_new_row(store):
    for hour in range(3):
        with store.connection() as connection:
            new = write_daily(connection, [fact(), fact("2")], seen_at=NOW + hour * HOUR)
        assert new == (2 if hour == 0 else 0)
    assert len(days(store)) == 2


def test_a_restatement_is_kept_beside_what_was_believed(store):
    for hour, spend in enumerate([1435, 1435, 1400, 1435]):
        with store.connection() as connection:
            write_daily(connection, [fact(spend_minor=spend)], seen_at=NOW + hour * HOUR)
    # Back to the first value is news too: the third row stands for hours 3 and on.
    assert [(seen - NOW, spend) for seen, spend, _ in days(store)] == [
        (0 * HOUR, 1435),
        (2 * HOUR, 1400),
        (3 * HOUR, 1435),
    ]


@pytest.mark.parametrize(
    "change",
    [{"conversions": 5.0}, {"actions": {"purchase": 3.0}}, {"reach": 7}, {"conversions": None}],
)
def test_any_value_that_differs_is_news(store, change):
    with store.connection() as connection:
        write_daily(connection, [fact()], seen_at=NOW)
        assert write_daily(connection, [fact(**change)], seen_at=NOW + HOUR) == 1


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=8))
def test_what_was_known_at_a_moment_can_be_told_from_the_revisions(store, spends):
    rows(store, "DELETE FROM intel_performance_daily RETURNING 1")
    for hour, spend in enumerate(spends):
        with store.connection() as connection:
            write_daily(connection, [fact(spend_minor=spend)], seen_at=NOW + hour * HOUR)
    kept = days(store)
    for hour, spend in enumerate(spends):
        known = [row.spend_minor for row in kept if row.seen_at <= NOW + hour * HOUR]
        assert known[-1] == spend


def test_totals_of_a_file_are_marked(store):
    with store.connection() as connection:
        write_daily(connection, [fact()], seen_at=NOW, source="file", are_totals=frozenset({DAY}))
        assert last_daily_reads(connection) == {}
        write_daily(connection, [fact("2")], seen_at=NOW)
        assert last_daily_reads(connection) == {ACCOUNT: NOW}
    assert [
        tuple(r)
        for r in rows(store, "SELECT source, is_total FROM intel_performance_daily ORDER BY 1")
    ] == [
        ("api", False),
        ("file", True),
    ]


def test_a_row_that_came_twice_counts_once(store):
    with store.connection() as connection:
        write_snapshots(connection, [fact(), fact(impressions=7)], seen_at=NOW)
        write_daily(connection, [fact(), fact(impressions=7)], seen_at=NOW)
    for table in ("snapshot", "daily"):
        found = rows(store, f"SELECT impressions FROM intel_performance_{table}")  # noqa: S608
        assert [tuple(row) for row in found] == [(7,)]


def test_many_rows_and_few_rows_are_stored_alike(store):
    many = [fact(str(n), actions={"purchase": n}) for n in range(MOST_IN_ONE_PARAMETER + 1)]
    with store.connection() as connection:
        assert write_daily(connection, many, seen_at=NOW) == len(many)
        assert write_daily(connection, many, seen_at=NOW + HOUR) == 0
        assert write_daily(connection, many[:3], seen_at=NOW + 2 * HOUR) == 0
        changed = [fact(str(n), actions={"purchase": n + 1}) for n in range(len(many))]
        assert write_daily(connection, changed, seen_at=NOW + 3 * HOUR) == len(many)
        assert write_snapshots(connection, many, seen_at=NOW) == len(many)


def test_nothing_to_write_is_nothing_written(store):
    with store.connection() as connection:
        assert write_snapshots(connection, [], seen_at=NOW) == 0
        assert write_daily(connection, [], seen_at=NOW) == 0
        assert write_pixels(connection, [], account=ACCOUNT, seen_at=NOW) == 0
        assert write_quarantine(connection, [], account=ACCOUNT, seen_at=NOW) == 0


def test_a_pixel_is_kept_with_what_is_unknown_as_null(store):
    pixel = Pixel("900", "Shop", 4, 40, {"PageView": 40}, 6.2, NOW, {"page_view_to_purchase": 5.0})
    silent = Pixel("901", None, None, None, None, None, None, None)
    for _ in range(2):
        with store.connection() as connection:
            assert write_pixels(connection, [pixel, silent], account=ACCOUNT, seen_at=NOW) == 2
    found = rows(
        store,
        "SELECT pixel_id, events_received_7d, events_received_30d, event_breakdown "
        "FROM intel_pixel_health ORDER BY 1",
    )
    assert [tuple(row) for row in found] == [
        ("900", 40, None, {"PageView": 40}),
        ("901", None, None, None),
    ]


def test_a_refused_row_is_kept_once_a_look(store):
    refused = [
        Refused("insights/ad", "spend: 'NaN' is not finite.", {"spend": "NaN", "ad_id": "7"})
    ]
    for moment in (NOW, NOW, NOW + HOUR):
        with store.connection() as connection:
            write_quarantine(connection, refused, account=ACCOUNT, seen_at=moment)
    found = rows(store, "SELECT reason, row FROM intel_quarantine ORDER BY seen_at")
    assert [tuple(row) for row in found] == [(refused[0].reason, dict(refused[0].row))] * 2
