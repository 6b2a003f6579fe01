"""Daily numbers of entities and accounts, as believed now.

Closed days in their latest revision, today as last seen.

Reads   `intel_performance_daily` and the latest snapshots of today.
Gives   one `TrendPoint` a day with a gap where nothing is known.
Never   fills a gap with zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.days import account_day
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Role
from intel_ml.data.store import accounts as account_rows
from intel_ml.reporting.cards import TrendPoint

DAYS = 14
_PERCENT = 100.0

_DAILY = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:types AS text[]),
            CAST(:ids AS text[]), CAST(:firsts AS date[]), CAST(:todays AS date[])
        ) AS w(ad_account_id, entity_type, entity_id, first, today)
    ), seen AS (
        SELECT DISTINCT ON (d.ad_account_id, d.entity_type, d.entity_id, d.day)
            d.ad_account_id, d.entity_type, d.entity_id, d.day, d.spend_minor, d.conversions,
            d.clicks, d.impressions, d.conversion_value_minor
        FROM wanted AS w
        JOIN intel_performance_daily AS d USING (ad_account_id, entity_type, entity_id)
        WHERE d.day BETWEEN w.first AND w.today AND NOT d.is_total AND d.seen_at <= :now
        ORDER BY d.ad_account_id, d.entity_type, d.entity_id, d.day, d.seen_at DESC
    ), so_far AS (
        SELECT DISTINCT ON (s.ad_account_id, s.entity_type, s.entity_id)
            s.ad_account_id, s.entity_type, s.entity_id, s.day, s.spend_minor, s.conversions,
            s.clicks, s.impressions, s.conversion_value_minor
        FROM wanted AS w
        JOIN intel_performance_snapshot AS s USING (ad_account_id, entity_type, entity_id)
        WHERE s.day = w.today AND s.day = ANY(CAST(:todays AS date[])) AND s.seen_at <= :now
        ORDER BY s.ad_account_id, s.entity_type, s.entity_id, s.seen_at DESC
    )
    SELECT * FROM so_far
    UNION ALL
    SELECT seen.* FROM seen
    WHERE NOT EXISTS (
        SELECT FROM so_far
        WHERE so_far.ad_account_id = seen.ad_account_id AND so_far.entity_type = seen.entity_type
            AND so_far.entity_id = seen.entity_id AND so_far.day = seen.day)
    """
)
_ACCOUNT = text(
    """
    WITH facts AS (
        SELECT entity_type, entity_id, day, seen_at, spend_minor, conversions, clicks, impressions,
            conversion_value_minor
        FROM intel_performance_daily
        WHERE ad_account_id = :account AND day BETWEEN :first AND :today AND NOT is_total
        UNION ALL
        SELECT entity_type, entity_id, day, seen_at, spend_minor, conversions, clicks, impressions,
            conversion_value_minor
        FROM intel_performance_snapshot
        WHERE ad_account_id = :account AND day = :today AND seen_at <= :now
    ), level AS (
        SELECT entity_type FROM facts
        ORDER BY array_position(ARRAY['campaign', 'adset', 'ad'], entity_type::text) LIMIT 1
    ), latest AS (
        SELECT DISTINCT ON (entity_id, day) * FROM facts JOIN level USING (entity_type)
        ORDER BY entity_id, day, seen_at DESC
    )
    SELECT day, sum(spend_minor)::bigint AS spend_minor, sum(conversions) AS conversions,
        sum(clicks)::bigint AS clicks, sum(impressions)::bigint AS impressions,
        sum(conversion_value_minor)::bigint AS conversion_value_minor
    FROM latest GROUP BY day
    """
)


def trends(
    session: Session,
    entities: Sequence[Entity],
    *,
    accounts: Mapping[AdAccountId, Account],
    now: datetime,
    days: int = DAYS,
) -> dict[Entity, tuple[TrendPoint, ...]]:
    """Return the last `days` account days of each entity, today included, in one query."""
    todays = {key: account_day(now, account.time_zone) for key, account in accounts.items()}
    rows = session.execute(
        _DAILY,
        {
            "accounts": [one.account for one in entities],
            "types": [str(one.type) for one in entities],
            "ids": [one.id for one in entities],
            "firsts": [todays[one.account] - timedelta(days=days - 1) for one in entities],
            "todays": [todays[one.account] for one in entities],
            "now": now,
        },
    )
    known: dict[Entity, dict[date, Any]] = {}
    for row in rows:
        entity = Entity(
            AdAccountId(row.ad_account_id), EntityType(row.entity_type), EntityId(row.entity_id)
        )
        known.setdefault(entity, {})[row.day] = row
    return {
        entity: tuple(
            _point(
                day, known.get(entity, {}).get(day), offset=accounts[entity.account].currency_offset
            )
            for n in range(days)
            for day in [todays[entity.account] - timedelta(days=days - 1 - n)]
        )
        for entity in entities
    }


def trend(
    session: Session, *, person: Person, entity: Entity, now: datetime, days: int = DAYS
) -> tuple[TrendPoint, ...]:
    """Return one entity's days, for a person who may see its account."""
    if not person.may(Role.VIEWER, entity.account):
        raise NotFoundError(f"There is no {entity.type} '{entity.id}' in an account of yours.")
    account = account_rows.account(session, entity.account)
    return trends(session, [entity], accounts={entity.account: account}, now=now, days=days)[entity]


def account_trend(
    session: Session, account: Account, *, now: datetime, days: int
) -> tuple[TrendPoint, ...]:
    """Return the account's days.

    The sum over its campaigns, or over the highest level that was delivered.
    """
    today = account_day(now, account.time_zone)
    keys = {
        "account": account.id,
        "first": today - timedelta(days=days - 1),
        "today": today,
        "now": now,
    }
    known = {row.day: row for row in session.execute(_ACCOUNT, keys)}
    listed = (today - timedelta(days=days - 1 - n) for n in range(days))
    return tuple(_point(day, known.get(day), offset=account.currency_offset) for day in listed)


def _point(day: date, row: Any, *, offset: int) -> TrendPoint:
    if row is None:
        return TrendPoint(day, None, None, None, None)
    spend = None if row.spend_minor is None else row.spend_minor / offset
    cpa = spend / row.conversions if spend is not None and row.conversions else None
    is_shown = row.clicks is not None and row.impressions
    ctr = _PERCENT * row.clicks / row.impressions if is_shown else None
    is_sold = row.conversion_value_minor is not None and row.spend_minor
    roas = row.conversion_value_minor / row.spend_minor if is_sold else None
    return TrendPoint(day, spend, row.conversions, cpa, ctr, roas)
