"""The account's score and patterns, computed from what is known now and stored for the pages.

Reads   states, ad set days, ad days, and the hours between snapshots.
Gives   a row in `intel_account_score`, fresh rows in `intel_learned_pattern`.
Never   keeps an old pattern active beside a new one, and never stores one without evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AccountScore, LearnedPattern
from intel_ml.features.states import States
from intel_ml.intelligence import account_score
from intel_ml.learning.states import current_states
from intel_ml.operations.guards import DELIVERING

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.intelligence.patterns.pattern import Pattern

_DAYS = 30

# How often people have seen it by then: all impressions so far over the widest day's reach. Reach
# of several days is not known, so this is an upper bound.
_ENTITY_DAYS = text(
    """
    WITH known AS (
        SELECT DISTINCT ON (d.entity_id, d.day) d.entity_id, d.day,
            d.spend_minor::float8 / :offset AS spend, d.conversions,
            100.0 * d.clicks / nullif(d.impressions, 0) AS ctr,
            d.impressions::float8 AS impressions, d.reach::float8 AS reach,
            e.daily_budget_minor::float8 / :offset AS daily_budget
        FROM intel_performance_daily AS d
        JOIN intel_entity AS e USING (ad_account_id, entity_type, entity_id)
        WHERE d.ad_account_id = :account AND d.entity_type = :level AND d.day >= :first
            AND d.day < :today AND NOT d.is_total AND d.seen_at <= :now
        ORDER BY d.entity_id, d.day, d.seen_at DESC
    )
    SELECT entity_id, day, spend, conversions, ctr, daily_budget,
        sum(impressions) OVER so_far / nullif(max(reach) OVER so_far, 0) AS frequency
    FROM known WINDOW so_far AS (PARTITION BY entity_id ORDER BY day)
    """
)
_HOURS = text(
    """
    WITH looks AS (
        SELECT entity_id, day, seen_at, impressions::float8 AS impressions, conversions
        FROM intel_performance_snapshot
        WHERE ad_account_id = :account AND entity_type = :level AND day >= :first
            AND seen_at <= :now
    )
    SELECT day, extract(hour FROM (seen_at - interval '1 second') AT TIME ZONE :zone)::int AS hour,
        trim(to_char(day, 'Day')) AS day_of_week,
        impressions - coalesce(lag(impressions) OVER same_day, 0) AS impressions,
        conversions - coalesce(lag(conversions) OVER same_day, 0) AS conversions,
        seen_at - lag(seen_at) OVER same_day AS passed
    FROM looks WINDOW same_day AS (PARTITION BY entity_id, day ORDER BY seen_at)
    """
)
_LONGEST_HOUR = timedelta(minutes=90)


def refresh(store: Store, account: Account, *, now: datetime) -> None:
    """Compute and store the account's score and its patterns as of `now`."""
    states = current_states(store, account, now=now)
    with store.session() as session:
        _store_score(session, account, account_score.account_score(_delivering(states)), now=now)
        _store_patterns(session, account, _patterns(session, account, now=now), now=now)


def _delivering(states: States) -> States:
    status = states.columns["effective_status"]
    return states.take([row for row in range(len(states)) if status[row] in DELIVERING])


def _store_score(
    session: Session, account: Account, score: account_score.AccountScore, *, now: datetime
) -> None:
    values: dict[str, Any] = {
        "overall_score": score.overall,
        "learning_health_score": score.learning_health.score,
        "performance_score": score.performance.score,
        "budget_efficiency_score": score.budget_efficiency.score,
        "creative_health_score": score.creative_health.score,
        "score_breakdown": score.breakdown,
        "recommendations": [asdict(one) for one in score.recommendations],
    }
    statement = insert(AccountScore).values(ad_account_id=account.id, calculated_at=now, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["ad_account_id", "calculated_at"], set_=values
        )
    )


def _patterns(session: Session, account: Account, *, now: datetime) -> list[Pattern]:
    from intel_ml.intelligence.patterns import (  # noqa: PLC0415  # loads pandas
        budget_sweet_spot,
        creative_fatigue,
        time_performance,
    )

    found = [
        time_performance.learn(_hours(session, account, now=now)),
        creative_fatigue.learn(_days(session, account, "ad", now=now)),
        budget_sweet_spot.learn(_days(session, account, "adset", now=now)),
    ]
    return [one for one in found if one is not None]


def _store_patterns(
    session: Session, account: Account, found: Sequence[Pattern], *, now: datetime
) -> None:
    session.execute(
        update(LearnedPattern)
        .where(LearnedPattern.ad_account_id == account.id, LearnedPattern.is_active)
        .values(is_active=False)
    )
    for one in found:
        session.add(
            LearnedPattern(
                ad_account_id=account.id,
                pattern_type=one.type,
                pattern_data={**one.data, "currency": account.currency},
                confidence_score=one.confidence_score,
                sample_size=one.sample_size,
                valid_from=now,
                valid_until=now + timedelta(days=one.valid_days),
                is_active=True,
                created_at=now,
            )
        )


def _days(session: Session, account: Account, level: str, *, now: datetime) -> pd.DataFrame:
    keys = _keys(account, level, now=now) | {"offset": account.currency_offset}
    rows = session.execute(_ENTITY_DAYS, keys).mappings().all()
    return _frame(
        rows, ("entity_id", "day", "spend", "conversions", "ctr", "frequency", "daily_budget")
    )


def _hours(session: Session, account: Account, *, now: datetime) -> pd.DataFrame:
    """Return what each hour brought each ad set.

    The difference of two looks no more than one missed look apart.
    """
    rows = session.execute(_HOURS, _keys(account, "adset", now=now)).mappings().all()
    hourly = [row for row in rows if row["passed"] is not None and row["passed"] <= _LONGEST_HOUR]
    return _frame(hourly, ("day", "hour", "day_of_week", "impressions", "conversions"))


def _keys(account: Account, level: str, *, now: datetime) -> dict[str, Any]:
    today = account_day(now, account.time_zone)
    return {
        "account": account.id,
        "level": level,
        "first": today - timedelta(days=_DAYS),
        "today": today,
        "now": now,
        "zone": account.time_zone,
    }


def _frame(rows: Sequence[Any], names: Sequence[str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # slow to load

    numbers = set(names) - {"entity_id", "day", "day_of_week"}
    columns = {name: [row[name] for row in rows] for name in names}
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype="float64" if name in numbers else "object")
            for name, values in columns.items()
        }
    )
