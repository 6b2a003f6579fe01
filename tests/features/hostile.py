"""Histories nobody would wish for: gaps, restatements, clocks that change, nothing delivered."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from intel_ml.core.accounts import Account
from intel_ml.core.money import Money
from tests.features.histories import NOW, TODAY, History, Row, account

#: Currencies with and without minor units; clocks that change within the window, or oddly.
ACCOUNTS = (
    ("act_1", "USD", "America/New_York"),  # 25 hours on 1 November
    ("act_2", "JPY", "Asia/Tokyo"),
    ("act_3", "HUF", "Australia/Lord_Howe"),  # half an hour of summer time
    ("act_4", "EUR", "Pacific/Kiritimati"),  # fourteen hours ahead
    ("act_5", "CLP", "Asia/Kathmandu"),  # five hours and three quarters
)
#: Now, midnights and changes of clocks of those zones, and before anything was seen.
MOMENTS = (
    NOW,
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # half past one in New York, for the first time
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),  # and for the second
    datetime(2026, 11, 2, 5, 0, tzinfo=UTC),
    datetime(2026, 11, 20, 15, 0, tzinfo=UTC),  # midnight in Tokyo
    NOW - timedelta(days=90),
)


def hostile_history(seed: int) -> History:
    """Return five accounts with everything that can be odd about a history."""
    rng = np.random.default_rng(seed)
    history = History(
        accounts=[
            account(
                name,
                currency=currency,
                time_zone=zone,
                target_cpa=None
                if rng.random() < 0.3
                else Money(int(rng.integers(1, 9999)), currency),
            )
            for name, currency, zone in ACCOUNTS
        ]
    )
    for one in history.accounts:
        _populate(history, one, rng)
    return history


def _populate(history: History, one: Account, rng: np.random.Generator) -> None:
    campaign, adset = f"{one.id}-c", f"{one.id}-s0"
    names = [(campaign, "campaign"), *((f"{one.id}-s{n}", "adset") for n in range(4))]
    names += [(f"{one.id}-a{n}", "ad") for n in range(2)]
    for name, kind in names:
        age = int(rng.integers(0, 40))
        created = None if rng.random() < 0.2 else NOW - timedelta(days=age, hours=3)
        history.entity(
            name,
            kind,
            ad_account_id=one.id,
            campaign_id=campaign if kind != "campaign" else None,
            # An ad may name an ad set that nobody has seen.
            adset_id=(adset if rng.random() < 0.7 else "gone") if kind == "ad" else None,
            daily_budget_minor=[None, 0, 5000][int(rng.integers(3))],
            learning_stage=[None, "LEARNING", "NEVER HEARD OF"][int(rng.integers(3))],
            last_significant_edit_at=NOW + timedelta(days=1) if rng.random() < 0.2 else None,
            created_at=created,
        )
        style = int(rng.integers(5))
        mine = {"ad_account_id": one.id, "entity_id": name, "kind": kind}
        for day in range(34):
            if style == 0 or rng.random() < 0.3:  # Nothing at all, or a gap.
                continue
            # Restated up to three times, known out of order, once at the very moment asked about.
            for _ in range(int(rng.integers(1, 4))):
                hours = float(rng.choice([1, 12, 30, 200])) + float(rng.random())
                seen = _midnight(one, day) + timedelta(days=1, hours=hours)
                history.day(day, seen_at=min(seen, NOW), **mine, **_values(rng, style))
        if style and rng.random() < 0.7:
            for hours in range(0, 50, 3):
                seen = NOW - timedelta(hours=hours)
                local = seen.astimezone(ZoneInfo(one.time_zone)).date()
                history.look(hours, **mine, **_values(rng, style) | {"day": local})
    _unique(history)


def _midnight(one: Account, age: int) -> datetime:
    day = TODAY - timedelta(days=age)
    return datetime.combine(day, time(), tzinfo=ZoneInfo(one.time_zone)).astimezone(UTC)


def _values(rng: np.random.Generator, style: int) -> Row:
    """Return a row: the same ratio over and over, nothing delivered, enormous, or anything."""
    if style == 1:
        times = int(rng.integers(1, 9))
        return _row(30 * times, 20 * times, 7 * times, 900 * times, 1.0 * times, 0)
    if style == 2:
        return _row(0, 0, 0, 0, 0.0, 0)
    if style == 3:
        return _row(10**12, 10**11, 10**10, 10**14, 1e9, 10**15)
    row = _row(*(int(value) for value in rng.integers(0, 3000, size=4)), 0.0, 0)
    row["conversions"] = float(rng.choice([0.0, 0.0, 1 / 3, 7.0]))
    if rng.random() < 0.2:
        row[str(rng.choice(list(row)))] = None
    return row


def _row(*values: Any) -> Row:
    names = ("impressions", "reach", "clicks", "spend_minor", "conversions")
    return dict(zip((*names, "conversion_value_minor"), values, strict=True))


def _unique(history: History) -> None:
    """Keep one row of those the store's keys would not tell apart."""
    for rows in (history.daily, history.snapshots):
        kept = {
            (
                row["ad_account_id"],
                row["entity_type"],
                row["entity_id"],
                row["day"],
                row["seen_at"],
            ): row
            for row in rows
        }
        rows[:] = kept.values()
