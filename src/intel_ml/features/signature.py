"""The signature of a campaign, ad set or ad: how it behaved over thirty days.

Reads   the history, as known at the moment.
Gives   `signature_expression`, the same for PostgreSQL, DuckDB and Spark.
Never   queries; never uses undated totals for anything that needs days.
"""

from __future__ import annotations

import ibis
from ibis import Table, Value, _

from intel_ml.features.catalogue import Role, names
from intel_ml.features.history import (
    KEYS,
    MONEY,
    HistoryTables,
    hours_between,
    known_days,
    unknown_if_nan,
    watched,
)

SIGNATURE_DAYS = 30

_RECENT = (0, 6)
_EARLIER = (7, SIGNATURE_DAYS - 1)
_HOUR_DAYS = 7
_HOURS_A_DAY = 24
_BLOCK_HOURS = 4
_BEFORE_SEEN_HOURS = 0.5
_FEWEST_DAYS = 3
_UNDATED = ("impressions", "clicks", "spend", "conversions")


def signature_expression(tables: HistoryTables) -> Table:
    """Return one row a (moment, entity): `KEYS` and every feature with the role of signature."""
    accounts = tables.moments.join(tables.accounts, "ad_account_id").select(
        *("ad_account_id", "as_of", "currency_offset", "target_cpa_minor")
    )
    rows = accounts.join(tables.entities, "ad_account_id")
    rows = rows.filter(rows.created_at.isnull() | (rows.created_at <= rows.as_of))
    rows = rows.select(*KEYS, "currency_offset", "target_cpa_minor")
    for part in (_dated(tables, accounts), _undated(tables), _best_block(tables)):
        rows = rows.left_join(part, KEYS).drop([f"{key}_right" for key in KEYS])
    rows = rows.mutate(
        **{name: ibis.coalesce(rows[name], rows[f"{name}_undated"]) for name in _UNDATED}
    )
    return rows.mutate(**_features(rows)).select(*KEYS, *names(role=Role.SIGNATURE))


def _features(t: Table) -> dict[str, Value]:
    cpa = _ratio(t.spend, t.conversions)
    before, now = (_ratio(t[f"clicks_{w}"], t[f"impressions_{w}"]) for w in ("earlier", "recent"))
    enough = t.days_converted >= _FEWEST_DAYS
    return {
        "avg_cpa": cpa / t.currency_offset,
        "avg_cpa_ratio": cpa / t.target_cpa_minor,
        "cpa_volatility": ibis.ifelse(enough, _ratio(t.cpa_std, t.cpa_mean), ibis.null("float64")),
        "conversion_rate": 100 * _ratio(t.conversions, t.clicks),
        "fatigue_rate": (1 - _ratio(now, before)).clip(lower=0.0),
        "optimal_frequency": _ratio(t.weighted_frequency, t.conversions),
        "best_hour_concentration": _ratio(t.best_block, t.every_block),
        "budget_efficiency": _ratio(t.efficient_spend, t.spend),
        "ctr": 100 * _ratio(t.clicks, t.impressions),
        "cpc": _ratio(t.spend, t.clicks) / t.currency_offset,
    }


def _dated(tables: HistoryTables, accounts: Table) -> Table:
    """Return what the days of an entity add up to; NaN stands for an unknown day."""
    days = known_days(tables, days=SIGNATURE_DAYS)
    days = days.join(accounts, ["ad_account_id", "as_of"])
    peers = ibis.window(group_by=["ad_account_id", "as_of", "entity_type"])
    level = _ratio(days.spend.sum().over(peers), days.conversions.sum().over(peers))
    days = days.mutate(
        cpa=_ratio(days.spend, days.conversions),
        target=ibis.coalesce(days.target_cpa_minor.cast("float64"), level),
    )
    known = {name: days[name].fill_null(float("nan")) for name in (*_UNDATED, "reach")}
    frequency = known["impressions"] / known["reach"].nullif(0)
    sold = known["conversions"] > 0
    efficient = sold & (known["spend"] <= days.target * known["conversions"])
    sums = {name: known[name].sum() for name in _UNDATED}
    for name in ("clicks", "impressions"):
        sums[f"{name}_recent"] = known[name].sum(where=days.age.between(*_RECENT))
        sums[f"{name}_earlier"] = known[name].sum(where=days.age.between(*_EARLIER))
    sums["weighted_frequency"] = (frequency * known["conversions"]).sum(where=sold)
    sums["efficient_spend"] = ibis.ifelse(efficient, known["spend"], known["conversions"] * 0).sum()
    totals = days.group_by(*KEYS).aggregate(
        **sums,
        cpa_std=days.cpa.std(how="pop"),
        cpa_mean=days.cpa.mean(),
        days_converted=days.cpa.count(),
    )
    return totals.mutate(**{name: unknown_if_nan(totals[name]) for name in sums})


def _undated(tables: HistoryTables) -> Table:
    """Return the newest totals of an unknown period: what a file without dates brings."""
    asked = tables.moments.select("ad_account_id", "as_of")
    totals = tables.daily.filter(_.is_total)
    rows = asked.join(
        totals, [asked.ad_account_id == totals.ad_account_id, totals.seen_at <= asked.as_of]
    )
    order = ibis.window(group_by=KEYS, order_by=[ibis.desc("seen_at"), ibis.desc("day")])
    rows = rows.mutate(place=ibis.row_number().over(order)).filter(_.place == 0)
    values = {f"{name}_undated": rows[MONEY.get(name, name)].cast("float64") for name in _UNDATED}
    return rows.select(*KEYS, **values)


def _best_block(tables: HistoryTables) -> Table:
    """Return the conversions of the best block of hours beside those of all."""
    rows = watched(tables, days=_HOUR_DAYS).filter(_.rise > 0)
    moments = tables.moments.select("ad_account_id", "as_of", "day_share")
    rows = rows.join(moments, ["ad_account_id", "as_of"])
    # A rise came before it was seen: half an hour puts one seen at eight sharp where it belongs.
    ago = hours_between(rows.as_of, rows.seen_at) + _BEFORE_SEEN_HOURS
    hour = rows.day_share * _HOURS_A_DAY - ago
    hour = hour - _HOURS_A_DAY * (hour / _HOURS_A_DAY).floor()
    rows = rows.mutate(block=(hour / _BLOCK_HOURS).floor().cast("int64"))
    blocks = rows.group_by(*KEYS, "block").aggregate(risen=_.rise.sum())
    return blocks.group_by(*KEYS).aggregate(best_block=_.risen.max(), every_block=_.risen.sum())


def _ratio(over: Value, under: Value) -> Value:
    """Return a quotient that is unknown where it would divide by zero."""
    return over / under.nullif(0)
