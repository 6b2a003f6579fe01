"""The state of every entity at a moment: one row with every state feature of the catalogue.

Reads   the history, as known at the moment.
Gives   `state_expression`, the same for PostgreSQL, DuckDB and Spark.
Never   queries: it takes tables and returns a table.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
from ibis import Table, Value, _

from intel_ml.features.catalogue import Role, names
from intel_ml.features.history import (
    KEYS,
    HistoryTables,
    hours_between,
    known_days,
    unknown_if_nan,
    watched,
)

#: Days are looked back for, mainly to find the last conversion.
STATE_DAYS = 30

#: What changes about an entity itself, as features read it.
_TOLD = ("effective_status", "daily_budget_minor", "learning_stage", "last_significant_edit_at")

#: First and last age, in days, of what a feature sums over; today is 0.
_WINDOWS: Mapping[str, tuple[int, int]] = {
    "today": (0, 0),
    "3d": (0, 2),
    "7d": (0, 6),
    "before_3d": (3, 5),
    "before_7d": (3, 6),
    "closed": (1, 3),
    "closed_before": (2, 4),
}
_SUMS: Mapping[str, tuple[str, ...]] = {
    "today": ("spend", "conversions"),
    "3d": ("spend", "conversions", "conversion_value", "impressions", "clicks"),
    "7d": ("spend", "conversions"),
    "before_3d": ("spend", "conversions", "impressions", "clicks"),
    "before_7d": ("spend", "conversions", "conversion_value", "impressions", "clicks"),
    "closed": ("impressions",),
    "closed_before": ("impressions",),
}
_REACHED = ("3d", "closed", "closed_before")

_HOURS_A_DAY = 24
#: In the first hour of a day its pace says nothing yet.
_FIRST_HOUR = 1 / _HOURS_A_DAY
_DELIVERS = "ACTIVE"
#: Fewer entities make no mean to stand out from.
_FEWEST_PEERS = 3


def state_expression(tables: HistoryTables) -> Table:
    """Return one row a (moment, entity): `KEYS` and every feature with the role of state."""
    days = _days(tables)
    rises = (
        watched(tables, days=2)
        .filter(_.rise > 0)
        .group_by(*KEYS)
        .aggregate(risen_at=_.seen_at.max())
    )
    rows = _structure(tables)
    rows = rows.left_join(days, KEYS).drop([f"{key}_right" for key in KEYS])
    rows = rows.left_join(rises, KEYS).drop([f"{key}_right" for key in KEYS])
    rows = rows.mutate(**_money(rows))
    rows = rows.mutate(**_costs(rows))
    rows = rows.mutate(**_comparisons(rows))
    return rows.select(*KEYS, *(name for name in names(role=Role.STATE) if name not in KEYS))


def _days(tables: HistoryTables) -> Table:
    """Return the sums over each window; NaN stands for an unknown day and spreads through a sum."""
    days = known_days(tables, days=STATE_DAYS)
    sums: dict[str, Value] = {}
    for window, metrics in _SUMS.items():
        inside = days.age.between(*_WINDOWS[window])
        for metric in metrics:
            known = days[metric].fill_null(float("nan"))
            sums[f"{metric}_{window}"] = known.sum(where=inside)
    for window in _REACHED:
        inside = days.age.between(*_WINDOWS[window])
        sums[f"reach_{window}"] = days.reach.fill_null(float("nan")).max(where=inside)
    sums["converted_age"] = days.age.min(where=days.conversions > 0)
    sums["first_age"] = days.age.max()
    sums["untold_days"] = days.count(where=days.conversions.isnull())
    totals = days.group_by(*KEYS).aggregate(**sums)
    plain = ("converted_age", "first_age", "untold_days")
    return totals.mutate(
        **{name: unknown_if_nan(totals[name]) for name in sums if name not in plain}
    )


def _structure(tables: HistoryTables) -> Table:
    """Return what is known of each entity itself and of the levels above it."""
    entities = _seen_entities(tables)
    adset, campaign = (_level(entities, level) for level in ("adset", "campaign"))
    adset_id = ibis.ifelse(entities.entity_type == "ad", entities.adset_id, ibis.null("string"))
    rows = entities.mutate(adset_key=adset_id, campaign_key=entities.campaign_id)
    for level, above in (("adset", adset), ("campaign", campaign)):
        on = ["ad_account_id", "as_of", f"{level}_key"]
        rows = rows.left_join(above, on).drop([f"{name}_right" for name in on])
    return rows.mutate(
        stage=ibis.coalesce(rows.learning_stage, rows.adset_stage),
        governing_budget_minor=ibis.coalesce(
            rows.daily_budget_minor, rows.adset_budget_minor, rows.campaign_budget_minor
        ),
        edited_at=ibis.coalesce(rows.last_significant_edit_at, rows.adset_edited_at),
    )


def _seen_entities(tables: HistoryTables) -> Table:
    """Return the entities of each moment, each as it was then; what was seen later tells nothing.

    Who belongs to whom does not change; status, budget and learning do.
    """
    moments = tables.moments.join(tables.accounts, "ad_account_id").select(
        *("ad_account_id", "as_of", "day_share", "hour_of_day", "day_of_week"),
        *("currency_offset", "target_cpa_minor", "target_roas"),
    )
    entities = tables.entities.select(
        *("ad_account_id", "entity_type", "entity_id", "campaign_id", "adset_id", "created_at")
    )
    rows = moments.join(entities, "ad_account_id")
    rows = rows.filter(rows.created_at.isnull() | (rows.created_at <= rows.as_of))
    was = _as_it_was(tables)
    return rows.left_join(was, KEYS).drop([f"{key}_right" for key in KEYS])


def _as_it_was(tables: HistoryTables) -> Table:
    """Return the version of each entity that had been seen last at each moment."""
    asked = tables.moments.select("ad_account_id", "as_of")
    seen = asked.join(
        tables.versions,
        [
            asked.ad_account_id == tables.versions.ad_account_id,
            tables.versions.seen_at <= asked.as_of,
        ],
    )
    newest = seen.group_by(*KEYS).aggregate(seen_at=_.seen_at.max())
    on = ["ad_account_id", "entity_type", "entity_id", "seen_at"]
    return newest.join(tables.versions, on).select(*KEYS, *_TOLD)


def _level(entities: Table, level: str) -> Table:
    """Return the entities of one level under names of their own, to be joined to those below."""
    rows = entities.filter(_.entity_type == level)
    return rows.select(
        "ad_account_id",
        "as_of",
        **{
            f"{level}_key": rows.entity_id,
            f"{level}_budget_minor": rows.daily_budget_minor,
            f"{level}_stage": rows.learning_stage,
            f"{level}_edited_at": rows.last_significant_edit_at,
        },
    )


def _money(t: Table) -> dict[str, Value]:
    """Return amounts in major units, counts as they are, and what is read off the structure."""
    amounts = {
        "spend": t.spend_3d,
        "spend_today": t.spend_today,
        "spend_7d": t.spend_7d,
        "conversion_value": t.conversion_value_3d,
        "target_cpa": t.target_cpa_minor.cast("float64"),
        "daily_budget": t.daily_budget_minor.cast("float64"),
        "governing_budget": t.governing_budget_minor.cast("float64"),
    }
    counts = {name: t[f"{name}_3d"] for name in ("conversions", "impressions", "reach", "clicks")}
    edited = ibis.ifelse(t.edited_at <= t.as_of, t.edited_at, ibis.null())
    return {
        **{name: value / t.currency_offset for name, value in amounts.items()},
        **counts,
        "learning_phase": t.stage.cases(
            ("LEARNING", "LEARNING"), ("SUCCESS", "ACTIVE"), ("FAIL", "LEARNING_LIMITED")
        ),
        "days_active": hours_between(t.as_of, t.created_at) / _HOURS_A_DAY,
        "days_since_edit": hours_between(t.as_of, edited) / _HOURS_A_DAY,
        "hours_since_conversion": _hours_since_conversion(t),
    }


def _hours_since_conversion(t: Table) -> Value:
    """Return the hours since a rise was seen, else since the last day with a conversion ended."""
    passed = t.day_share * _HOURS_A_DAY
    since_day = ((t.converted_age - 1) * _HOURS_A_DAY + passed).clip(lower=0.0)
    since_start = t.first_age * _HOURS_A_DAY + passed
    never = ibis.ifelse(t.untold_days == 0, since_start, ibis.null("float64"))
    return ibis.coalesce(hours_between(t.as_of, t.risen_at), since_day, never)


def _costs(t: Table) -> dict[str, Value]:
    cpa = _ratio(t.spend, t.conversions)
    roas = _ratio(t.conversion_value, t.spend)
    ctr = 100 * _ratio(t.clicks, t.impressions)
    utilization = _ratio(t.spend_today, t.governing_budget)
    started = ibis.ifelse(t.day_share >= _FIRST_HOUR, t.day_share, ibis.null("float64"))
    return {
        "cpa": cpa,
        "cpa_today": _ratio(t.spend_today, t.conversions_today),
        "cpa_7d": _ratio(t.spend_7d, t.conversions_7d),
        "cpc": _ratio(t.spend, t.clicks),
        "cpm": 1000 * _ratio(t.spend, t.impressions),
        "roas": roas,
        "ctr": ctr,
        "frequency": _ratio(t.impressions, t.reach),
        "cpa_ratio": _ratio(cpa, t.target_cpa),
        "budget_utilization": utilization,
        "budget_pacing": utilization / started,
    }


def _comparisons(t: Table) -> dict[str, Value]:
    cpa_now = _ratio(t.spend_3d, t.conversions_3d)
    ctr_now = _ratio(t.clicks_3d, t.impressions_3d)
    roas_now = _ratio(t.conversion_value_3d, t.spend_3d)
    peers = ibis.window(group_by=["ad_account_id", "as_of", "entity_type"])
    enough = t.ctr.count().over(peers) >= _FEWEST_PEERS
    spread = ibis.ifelse(enough, t.ctr.std(how="pop").over(peers), ibis.null("float64"))
    return {
        "cpa_trend_3d": _change(cpa_now, _ratio(t.spend_before_3d, t.conversions_before_3d)),
        "ctr_trend_3d": _change(ctr_now, _ratio(t.clicks_before_3d, t.impressions_before_3d)),
        "cpa_trend_7d": _change(cpa_now, _ratio(t.spend_before_7d, t.conversions_before_7d)),
        "ctr_trend_7d": _change(ctr_now, _ratio(t.clicks_before_7d, t.impressions_before_7d)),
        "roas_trend_7d": _change(roas_now, _ratio(t.conversion_value_before_7d, t.spend_before_7d)),
        "ctr_zscore": _ratio(t.ctr - t.ctr.mean().over(peers), spread),
        "frequency_velocity": _ratio(t.impressions_closed, t.reach_closed)
        - _ratio(t.impressions_closed_before, t.reach_closed_before),
        **{f"siblings_{name}": _of_siblings(t, name) for name in ("spend_7d", "conversions_7d")},
    }


def _of_siblings(t: Table, name: str) -> Value:
    """Return the sum over the campaign's other active entities of the level, of those known."""
    campaign = ibis.window(group_by=["ad_account_id", "as_of", "entity_type", "campaign_key"])
    is_known = t.spend_7d.notnull() & t.conversions_7d.notnull()
    counts = is_known & (t.effective_status == _DELIVERS)
    one, told = (ibis.ifelse(counts, value, 0.0) for value in (1.0, t[name]))
    has_any = t.campaign_key.notnull() & (one.sum().over(campaign) - one > 0)
    return ibis.ifelse(has_any, told.sum().over(campaign) - told, ibis.null("float64"))


def _ratio(over: Value, under: Value) -> Value:
    """Return a quotient that is unknown where it would divide by zero."""
    return over / under.nullif(0)


def _change(now: Value, before: Value) -> Value:
    """Return the change in percent."""
    return 100 * (_ratio(now, before) - 1)
