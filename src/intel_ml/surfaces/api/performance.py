"""What was delivered and how healthy it looks, over HTTP (the plan's section 5.1).

Reads   days, pixels and scores as stored.
Gives   trends, pixel health, the account's score.
Never   turns an unknown day into a zero.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import EntityType
from intel_ml.core.money import Money
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import AccountScore, EntityRow, PixelHealth
from intel_ml.surfaces.api.callers import (
    AccountId,
    Caller,
    ThePlatform,
    visible_account,
    visible_accounts,
)
from intel_ml.surfaces.api.schemas import DayPoint, MoneyOut, PixelHealthOut, ScoreOut, Trend

router = APIRouter(prefix="/api/intelligence", tags=["performance"])

_PERCENT = 100
_WEEK = timedelta(days=7)

#: The days of one entity as believed now: the newest belief of a closed day, else the last look.
_DAYS = text(
    """
    SELECT DISTINCT ON (day)
        day, spend_minor, impressions, reach, clicks, conversions, conversion_value_minor
    FROM (
        SELECT day, seen_at, CASE WHEN day = :last THEN 0 ELSE 2 END AS rank, spend_minor,
            impressions, reach, clicks, conversions, conversion_value_minor
        FROM intel_performance_daily
        WHERE ad_account_id = :account AND entity_type = :type AND entity_id = :id
          AND NOT is_total AND day BETWEEN :first AND :last AND seen_at <= :now
        UNION ALL
        SELECT day, seen_at, 1, spend_minor,
            impressions, reach, clicks, conversions, conversion_value_minor
        FROM intel_performance_snapshot
        WHERE ad_account_id = :account AND entity_type = :type AND entity_id = :id
          AND day BETWEEN :first AND :last AND seen_at <= :now
    ) AS seen
    ORDER BY day, rank DESC, seen_at DESC
    """
)


@router.get("/performance/{entity_type}/{entity_id}/trend")
def trend(  # noqa: PLR0913  # one argument for each part of the path and query
    entity_type: EntityType,
    entity_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")],
    person: Caller,
    platform: ThePlatform,
    *,
    account_id: AccountId = None,
    days: Annotated[Literal["7", "14", "30"], Query(description="How many account days.")] = "7",
) -> Trend:
    """Return an entity's days, today so far included."""
    accounts = visible_accounts(person, account_id)
    with platform.store.session() as session:
        entity = _entity(session, accounts, entity_type=entity_type, entity_id=entity_id)
        account = stored_account(session, entity.ad_account_id)
        now = platform_now(session)
        last = now.astimezone(ZoneInfo(account.time_zone)).date()
        rows = session.execute(
            _DAYS,
            {
                "account": account.id,
                "type": entity_type.value,
                "id": entity_id,
                "first": last - timedelta(days=int(days) - 1),
                "last": last,
                "now": now,
            },
        )
        return Trend(
            account_id=account.id,
            entity_type=entity_type,
            entity_id=entity_id,
            entity_name=entity.name,
            currency=account.currency,
            days=int(days),
            points=[_point(row, account.currency) for row in rows],
        )


@router.get("/pixel/{pixel_id}/health")
def pixel_health(
    pixel_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")],
    person: Caller,
    platform: ThePlatform,
) -> PixelHealthOut:
    """Return a pixel as last seen."""
    with platform.store.session() as session:
        row = session.scalar(
            select(PixelHealth)
            .where(PixelHealth.ad_account_id.in_(person.accounts), PixelHealth.pixel_id == pixel_id)
            .order_by(PixelHealth.snapshot_time.desc())
            .limit(1)
        )
        if row is None:
            raise NotFoundError(f"No pixel '{pixel_id}' was seen in an account of yours.")
        return PixelHealthOut.model_validate(
            {n: getattr(row, n) for n in PixelHealthOut.model_fields if n != "account_id"}
            | {"account_id": row.ad_account_id}
        )


@router.get("/account/{account_id}/score")
def account_score(account_id: str, person: Caller, platform: ThePlatform) -> ScoreOut:
    """Return the account's newest score, its parts and what it recommends."""
    visible_account(person, account_id)
    with platform.store.session() as session:
        scores = (
            select(AccountScore)
            .where(AccountScore.ad_account_id == account_id)
            .order_by(AccountScore.calculated_at.desc())
            .limit(1)
        )
        newest = session.scalar(scores)
        if newest is None:
            raise NotFoundError(
                f"{account_id} has no score yet.",
                hint="It is calculated once a day: `intel-ml status`.",
            )
        week_before = newest.calculated_at - _WEEK
        before = session.scalar(scores.where(AccountScore.calculated_at <= week_before))
        earlier = None if before is None else before.overall_score
        change = (
            None
            if newest.overall_score is None or earlier is None
            else newest.overall_score - earlier
        )
        columns = set(ScoreOut.model_fields) - {"account_id", "change"}
        return ScoreOut.model_validate(
            {n: getattr(newest, n) for n in columns} | {"account_id": account_id, "change": change}
        )


def _entity(
    session: Session, accounts: list[str], *, entity_type: EntityType, entity_id: str
) -> EntityRow:
    row = session.scalar(
        select(EntityRow)
        .where(
            EntityRow.ad_account_id.in_(accounts),
            EntityRow.entity_type == entity_type,
            EntityRow.entity_id == entity_id,
        )
        .limit(1)
    )
    if row is None:
        raise NotFoundError(f"There is no {entity_type} '{entity_id}' in an account of yours.")
    return row


def _point(row: Row[Any], currency: str) -> DayPoint:
    spend = None if row.spend_minor is None else Money(row.spend_minor, currency)
    value = (
        None if row.conversion_value_minor is None else Money(row.conversion_value_minor, currency)
    )
    return DayPoint(
        day=row.day,
        spend=None if spend is None else MoneyOut.of(spend),
        impressions=row.impressions,
        clicks=row.clicks,
        conversions=row.conversions,
        cpa=_ratio(None if spend is None else float(spend.major), row.conversions),
        roas=_ratio(
            None if value is None else float(value.major),
            None if spend is None else float(spend.major),
        ),
        ctr=_ratio(None if row.clicks is None else _PERCENT * row.clicks, row.impressions),
        frequency=_ratio(row.impressions, row.reach),
    )


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
