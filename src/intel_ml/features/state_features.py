"""The features of an entity at a moment: what rules may ask, a decision remembers, a policy sees.

Reads   nothing.
Gives   `STATE_FEATURES`, in the order of the state's columns.
Never   computes: `intel_ml.features.state` does, and a test holds the two together.

Words of the formulas: *today* is the account's day so far; *3 d* are the last three account days,
today included, which is the window of every name without one; *7 d* are the last seven. A closed
day counts in its latest revision known at the moment. A day without a row adds nothing; a window
without any row, or with a day whose value is unknown, is unknown; nothing is divided by zero.
"""

from __future__ import annotations

from intel_ml.features.feature import UNITS, Feature, Kind, Role

_CONTEXT = frozenset(
    {
        *("cpa_ratio", "roas", "ctr_zscore", "cpa_trend_3d", "ctr_trend_7d", "frequency"),
        *("frequency_velocity", "learning_phase", "days_since_edit"),
        *("budget_utilization", "budget_pacing"),
    }
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STATUSES = (
    *("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "CAMPAIGN_PAUSED", "ADSET_PAUSED", "IN_PROCESS"),
    *("WITH_ISSUES", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO"),
)


def _roles(name: str) -> frozenset[Role]:
    roles = {Role.STATE, Role.RULE}
    return frozenset(roles | {Role.CONTEXT} if name in _CONTEXT else roles)


def _number(  # noqa: PLR0913, PLR0917  # a row of the table below
    name: str, kind: Kind, label: str, description: str, formula: str, source: str = "calculated"
) -> Feature:
    return Feature(
        name=name,
        kind=kind,
        label=label,
        unit=UNITS[kind],
        description=description,
        formula=formula,
        source=source,
        roles=_roles(name),
    )


_DELIVERED = (
    _number("spend", Kind.MONEY, "spend", "Spent lately.", "sum(spend, 3 d)", "insights"),
    _number(
        *("spend_today", Kind.MONEY, "spend today", "Spent in the day so far."),
        *("sum(spend, today)", "insights"),
    ),
    _number(
        *("spend_7d", Kind.MONEY, "spend of 7 days", "Spent in a week."),
        *("sum(spend, 7 d)", "insights"),
    ),
    _number(
        *("conversions", Kind.COUNT, "conversions", "Results bought lately, as attributed so far."),
        *("sum(conversions, 3 d)", "insights"),
    ),
    _number(
        *("conversions_today", Kind.COUNT, "conversions today", "Results of the day so far."),
        *("sum(conversions, today)", "insights"),
    ),
    _number(
        *("conversions_7d", Kind.COUNT, "conversions of 7 days", "Results of a week."),
        *("sum(conversions, 7 d)", "insights"),
    ),
    _number(
        *("conversion_value", Kind.MONEY, "conversion value", "What the results were worth."),
        *("sum(conversion value, 3 d)", "insights"),
    ),
    _number(
        *("impressions", Kind.COUNT, "impressions", "How often ads were shown."),
        *("sum(impressions, 3 d)", "insights"),
    ),
    _number(
        *(
            "reach",
            Kind.COUNT,
            "reach",
            "People reached, at least: days overlap by an unknown part.",
        ),
        *("max(daily reach, 3 d)", "insights"),
    ),
    _number(
        *("clicks", Kind.COUNT, "clicks", "Clicks of every kind."),
        *("sum(clicks, 3 d)", "insights"),
    ),
)

_COSTS = (
    _number("cpa", Kind.MONEY, "cost per result", "What one result costs.", "spend / conversions"),
    _number(
        *("cpa_today", Kind.MONEY, "cost per result today", "What one result costs today."),
        "spend_today / conversions_today",
    ),
    _number(
        *("cpa_7d", Kind.MONEY, "cost per result of 7 days", "What one result cost in a week."),
        "spend_7d / conversions_7d",
    ),
    _number("cpc", Kind.MONEY, "cost per click", "What one click costs.", "spend / clicks"),
    _number(
        *("cpm", Kind.MONEY, "cost per 1,000 impressions", "What a thousand impressions cost."),
        "1000 * spend / impressions",
    ),
    _number(
        *("roas", Kind.NUMBER, "ROAS", "What comes back for each unit spent; 2.5 is 250 %."),
        "conversion_value / spend",
    ),
    _number(
        *("ctr", Kind.PERCENT, "CTR", "Share of impressions that were clicked; 1.2 is 1.2 %."),
        "100 * clicks / impressions",
    ),
    _number(
        *("frequency", Kind.NUMBER, "frequency", "How often one person saw it, at most."),
        "impressions / reach",
    ),
    _number(
        *("target_cpa", Kind.MONEY, "target cost per result", "What a result may cost."),
        *("as set for the account", "account"),
    ),
    _number(
        *("target_roas", Kind.NUMBER, "target ROAS", "What should come back for each unit spent."),
        *("as set for the account", "account"),
    ),
    _number(
        *("cpa_ratio", Kind.NUMBER, "cost per result over target", "1 is on target, 2 is double."),
        "cpa / target_cpa",
    ),
)

_TRENDS = (
    _number(
        *("cpa_trend_3d", Kind.CHANGE, "cost per result against 3 days before"),
        *("Rising is bad.", "100 * (cpa of 3 d / cpa of the 3 d before - 1)"),
    ),
    _number(
        *("ctr_trend_3d", Kind.CHANGE, "CTR against 3 days before"),
        *("Falling is bad; -15 is 15 % down.", "100 * (ctr of 3 d / ctr of the 3 d before - 1)"),
    ),
    _number(
        *("cpa_trend_7d", Kind.CHANGE, "cost per result within 7 days"),
        *("Rising is bad.", "100 * (cpa of 3 d / cpa of the 4 d before - 1)"),
    ),
    _number(
        *("ctr_trend_7d", Kind.CHANGE, "CTR within 7 days"),
        *("Falling is bad; -15 is 15 % down.", "100 * (ctr of 3 d / ctr of the 4 d before - 1)"),
    ),
    _number(
        *("roas_trend_7d", Kind.CHANGE, "ROAS within 7 days"),
        *("Falling is bad.", "100 * (roas of 3 d / roas of the 4 d before - 1)"),
    ),
    _number(
        *("ctr_zscore", Kind.NUMBER, "CTR against the account"),
        "Standard deviations from the account's mean at the same level; needs three entities.",
        "(ctr - mean(ctr)) / std(ctr), over the account's entities of this type",
    ),
    _number(
        *("frequency_velocity", Kind.NUMBER, "rise of frequency in a day"),
        "How much the frequency of three closed days rose from one day to the next.",
        "frequency of yesterday's 3 d - frequency of the 3 d ending a day earlier",
    ),
    _number(
        *("siblings_spend_7d", Kind.MONEY, "spend of its siblings in 7 days"),
        "Spent in a week by the campaign's other active entities of its level.",
        "sum(spend_7d) of them; unknown where there is none",
    ),
    _number(
        *("siblings_conversions_7d", Kind.COUNT, "conversions of its siblings in 7 days"),
        "Results in a week of the campaign's other active entities of its level.",
        "sum(conversions_7d) of them; unknown where there is none",
    ),
)

_TIMES = (
    _number(
        *("days_active", Kind.DAYS, "age", "Since it was created.", "moment - created_at"),
        "entity",
    ),
    _number(
        *("hours_since_conversion", Kind.HOURS, "time without a conversion"),
        "Since a result last came in; where none is known, since the first known delivery in 30 d.",
        "moment - last snapshot with more conversions than the one before, else - end of the last "
        "day with a conversion, else - start of the first day with a row",
    ),
    _number(
        *("days_since_edit", Kind.DAYS, "time since the last significant edit"),
        "Of the ad set, for an ad too; Meta restarts learning at such an edit.",
        *("moment - last_significant_edit_at", "entity"),
    ),
    _number(
        *("daily_budget", Kind.MONEY, "daily budget"),
        "Its own; unknown where the budget is a lifetime's or belongs to another level.",
        *("daily_budget", "entity"),
    ),
    _number(
        *("budget_utilization", Kind.NUMBER, "share of the day's budget spent"),
        "Of its own daily budget, else the ad set's, else the campaign's; 0.85 is 85 %.",
        "spend_today / daily budget that governs it",
    ),
    _number(
        *("budget_pacing", Kind.NUMBER, "expected share of the day's budget"),
        "Where the day would end at this pace; unknown in the first hour of the day.",
        "budget_utilization / share of the account's day that has passed",
    ),
    _number(
        *("hour_of_day", Kind.COUNT, "hour of the day", "The account's hour, 0 to 23."),
        *("hour of the moment", "clock"),
    ),
)

_WORDS = (
    Feature(
        name="effective_status",
        kind=Kind.WORD,
        label="status",
        unit="",
        description="Whether it can deliver, the levels above it included.",
        formula="effective_status",
        source="entity",
        roles=_roles("effective_status"),
        codes={status: float(status == "ACTIVE") for status in _STATUSES},
        words=_STATUSES,
    ),
    Feature(
        name="learning_phase",
        kind=Kind.WORD,
        label="learning phase",
        unit="",
        description="Of the ad set, for an ad too; unknown where Meta does not tell.",
        formula="learning_stage: LEARNING, SUCCESS -> ACTIVE, FAIL -> LEARNING_LIMITED",
        source="entity",
        roles=_roles("learning_phase"),
        codes={"LEARNING": 0.0, "LEARNING_LIMITED": 0.5, "ACTIVE": 1.0},
        words=("LEARNING", "LEARNING_LIMITED", "ACTIVE"),
    ),
    Feature(
        name="day_of_week",
        kind=Kind.WORD,
        label="day of the week",
        unit="",
        description="The account's day.",
        formula="day of the moment",
        source="clock",
        roles=_roles("day_of_week"),
        codes={day: float(number) for number, day in enumerate(_DAYS)},
        words=_DAYS,
    ),
    Feature(
        name="entity_type",
        kind=Kind.WORD,
        label="level",
        unit="",
        description="Campaign, ad set or ad.",
        formula="level of the entity",
        source="entity",
        roles=frozenset({Role.STATE}),
        codes={"campaign": 0.0, "adset": 1.0, "ad": 2.0},
        words=("campaign", "adset", "ad"),
    ),
)

STATE_FEATURES: tuple[Feature, ...] = (*_DELIVERED, *_COSTS, *_TRENDS, *_TIMES, *_WORDS)
