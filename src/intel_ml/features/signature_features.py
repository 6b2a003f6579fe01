"""The features by which campaigns are told apart: how one behaved over thirty days.

Reads   nothing.
Gives   `SIGNATURE_FEATURES`, in the order of the signature's columns.
Never   computes: `intel_ml.features.signature` does, and a test holds the two together.

Those marked *undated* can also be computed from a file of totals without dates.
"""

from __future__ import annotations

from intel_ml.features.feature import UNITS, Feature, Kind, Role

_ROLES = frozenset({Role.SIGNATURE})


def _signature(name: str, kind: Kind, label: str, description: str, formula: str) -> Feature:
    return Feature(
        name=name,
        kind=kind,
        label=label,
        unit=UNITS[kind],
        description=description,
        formula=formula,
        source="insights",
        roles=_ROLES,
    )


SIGNATURE_FEATURES: tuple[Feature, ...] = (
    _signature(
        *("avg_cpa", Kind.MONEY, "average cost per result", "Undated. In the account's currency."),
        "sum(spend, 30 d) / sum(conversions, 30 d)",
    ),
    _signature(
        *("avg_cpa_ratio", Kind.NUMBER, "average cost per result over target"),
        *("Undated. Comparable between currencies.", "avg_cpa / target_cpa"),
    ),
    _signature(
        *("cpa_volatility", Kind.NUMBER, "volatility of the cost per result"),
        "How much it varies between days, in parts of itself; needs three days with a result.",
        "std(daily cpa, 30 d) / mean(daily cpa, 30 d)",
    ),
    _signature(
        *("conversion_rate", Kind.PERCENT, "conversion rate"),
        *("Undated. Results for a hundred clicks.", "100 * conversions / clicks"),
    ),
    _signature(
        *("fatigue_rate", Kind.NUMBER, "fatigue"),
        "The part of the click-through rate that was lost; 0.2 is a fifth, 0 is nothing or a gain.",
        "max(0, 1 - ctr of the last 7 d / ctr of the 23 d before)",
    ),
    _signature(
        *("optimal_frequency", Kind.NUMBER, "frequency that sells"),
        "The daily frequency at which results came in.",
        "sum(conversions * impressions / reach) / sum(conversions), over the days of 30 d",
    ),
    _signature(
        *("best_hour_concentration", Kind.NUMBER, "concentration on the best hours"),
        "Which part of the results fell into the best four hours of the day; 1/6 is evenly spread.",
        "max over six blocks of 4 h of the rise of conversions between snapshots / all, 7 d",
    ),
    _signature(
        *("budget_efficiency", Kind.NUMBER, "efficient share of the spend"),
        "The part of the spend that fell on days at or under the target cost per result (where "
        "none is set: under the account's average at this level).",
        "sum(spend, days with cpa <= target) / sum(spend), 30 d",
    ),
    _signature(
        *("ctr", Kind.PERCENT, "CTR", "Undated. Over thirty days."),
        "100 * clicks / impressions",
    ),
    _signature(
        *("cpc", Kind.MONEY, "cost per click", "Undated. In the account's currency."),
        "spend / clicks",
    ),
)
