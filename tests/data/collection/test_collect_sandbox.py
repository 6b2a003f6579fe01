"""Collecting from the simulated platform, over HTTP: what is stored is what the platform says."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from intel_ml.core.days import account_day, day_start
from intel_ml.core.money import Money
from intel_ml.data.collection.collect import collect_all
from intel_ml.data.collection.onboarding import onboard
from intel_ml.data.meta.reader import MetaReader
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 24, 12, tzinfo=UTC)  # clocks go back in Berlin in the night that follows
READ = "a-token-to-read-with"
LEVELS = ("campaign", "adset", "ad")


class Platform:
    """The sandbox in a thread of this process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        return httpx.post(f"{self.url}/_sandbox/{what}", json=body, timeout=30).json()

    def advance(self, hours: int) -> datetime:
        return datetime.fromisoformat(self.post("advance", {"hours": hours})["now"])

    def reader(self) -> MetaReader:
        return MetaReader(self.url, READ, sleep=lambda _: None)


@pytest.fixture
def platform() -> Iterator[Platform]:
    app = create_app(World.load("demo", start=START, seed=3), read_token=READ, write_token="w")  # noqa: S106
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Platform(f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()


def rows(store, sql):
    with store.connection() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_three_accounts_are_onboarded_with_their_currencies_and_zones(store, platform):
    targets = {"act_103": (Money(2500, "JPY"), 2.0)}
    found = onboard(store, platform.reader(), now=START, targets=targets)
    assert {account.currency for account in found} == {"USD", "EUR", "JPY"}
    assert len({account.time_zone for account in found}) == 3
    assert found[2].target_cpa == Money(2500, "JPY")


def test_days_of_looks_agree_with_the_platform_in_every_zone(store, platform):
    reader = platform.reader()
    accounts = onboard(store, reader, now=START, targets={})
    zones = {account.id: account.time_zone for account in accounts}
    moments = []
    for _ in range(10):
        moment = platform.advance(5)
        moments.append(moment)
        reports = collect_all(store, reader, accounts, now=moment)
        assert [report.status for report in reports] == ["done"] * 3
        assert sum(report.quarantined for report in reports) == 0

    def day_start_of(name, at):
        return day_start(account_day(at, zones[name]), zones[name])

    spend = rows(
        store,
        "SELECT ad_account_id, day, seen_at, entity_type, sum(spend_minor), sum(impressions) "
        "FROM intel_performance_snapshot GROUP BY 1, 2, 3, 4",
    )
    by_look = defaultdict(dict)
    for account, day, seen_at, level, *sums in spend:
        assert day == account_day(seen_at, zones[account])
        by_look[account, seen_at][level] = sums
    # A platform whose levels agree, read without loss: ads, ad sets and campaigns add up alike.
    for look in by_look.values():
        assert look["campaign"] == look["adset"] == look["ad"]
    # Only at the first moment of a day is there nothing yet.
    looked = {(name, at) for name in zones for at in moments if at != day_start_of(name, at)}
    assert looked <= set(by_look)

    falling = rows(
        store,
        "SELECT 1 FROM (SELECT impressions - lag(impressions) OVER (PARTITION BY ad_account_id, "
        "entity_type, entity_id, day ORDER BY seen_at) AS step FROM intel_performance_snapshot) s "
        "WHERE step < 0",
    )
    assert falling == []

    daily = rows(store, "SELECT ad_account_id, max(day) FROM intel_performance_daily GROUP BY 1")
    for account, last in daily:
        assert (account_day(moment, zones[account]) - last).days == 1
    assert {
        kind for (kind,) in rows(store, "SELECT DISTINCT entity_type FROM intel_entity")
    } == set(LEVELS)
    assert rows(store, "SELECT count(DISTINCT ad_account_id) FROM intel_pixel_health") == [(3,)]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 200, "body": "<html>Sorry</html>"},
        {"truncate": 200},
        {"drop_after_write": True},
        {"null_items": [0, 4]},
        {"error": {"code": 2, "is_transient": True, "status": 500}},
    ],
)
def test_a_passing_fault_of_the_platform_loses_nothing(store, platform, fault):
    reader = platform.reader()
    accounts = onboard(store, reader, now=START, targets={})[:1]
    now = platform.advance(3)
    platform.post("faults", {"method": "POST", "times": 1, **fault})
    (report,) = collect_all(store, reader, accounts, now=now)
    assert (report.status, report.quarantined) == ("done", 0)
    assert rows(store, "SELECT count(DISTINCT entity_type) FROM intel_performance_snapshot") == [
        (3,)
    ]


def test_a_lost_token_stops_at_once_and_is_not_repeated(store, platform):
    accounts = onboard(store, platform.reader(), now=START, targets={})[:1]
    stranger = MetaReader(platform.url, "another-token", sleep=lambda _: None)
    (report,) = collect_all(store, stranger, accounts, now=START)
    assert report.status == "failed"
    assert "another-token" not in report.message
    assert "token" in report.message
