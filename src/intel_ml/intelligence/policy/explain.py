"""Why an arm: the plan's sentences where they hold, then what each feature contributed.

    contribution_j = advantage(x) - advantage(x with feature j at its usual value)

where the advantage of an arm is its score less the mean score of the other arms. For a linear
policy this is exactly its linear contribution; for random Fourier features it is occlusion.

Reads   one state, contributions by feature, the features' usual values.
Gives   `Reason`s, the strongest first; never none.
Never   names a feature that speaks against the arm as a reason for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, Arm
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States, Value
from intel_ml.intelligence.policy.context import Context
from intel_ml.intelligence.policy.protocol import ARM_INDEX

LEARNED = "Based on learned patterns from similar campaigns"
#: The plan's thresholds for its sentences; `ctr_trend_7d` is in percent.
CPA_RATIO_HIGH = 2.0
FREQUENCY_HIGH = 3.5
CTR_FALLING_PERCENT = -10.0
ROAS_HIGH = 3.0
_SHOWN = 3
_NEAR_USUAL = 0.05
#: Less than this of a lead is not worth a person's time.
_MIN_CONTRIBUTION = 0.02

#: How people call what a policy reads.
SPOKEN: dict[str, str] = {
    "cpa_ratio": "CPA as a multiple of target",
    "roas": "ROAS",
    "ctr_zscore": "CTR beside the account's others, in usual spreads",
    "cpa_trend_3d": "CPA trend over 3 days",
    "cpa_trend_7d": "CPA trend over 7 days",
    "ctr_trend_7d": "CTR trend over 7 days",
    "roas_trend_7d": "ROAS trend over 7 days",
    "frequency": "Frequency",
    "frequency_velocity": "Frequency gained in a day",
    "days_since_edit": "Days since the last edit",
    "days_active": "Days active",
    "hours_since_conversion": "Hours since the last conversion",
    "conversions_7d": "Conversions in 7 days",
    "budget_utilization": "Share of the day's budget spent",
    "budget_pacing": "Projected spend against budget",
    "learning_phase": "Learning phase",
}
#: Read as a percentage: shares of one, and what is in percent already.
_SHARES = frozenset({"budget_utilization", "budget_pacing"})
_TREND = "_trend_"
_WHOLE_FROM = 1000


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature added to an arm's lead over the others, and what would have been usual."""

    feature: str
    amount: float
    usual: float | None


def reasons(
    state: Mapping[str, Value], arm: Arm, contributions: list[Contribution]
) -> tuple[Reason, ...]:
    """Return the plan's sentences that hold, then the strongest contributions in favour.

    >>> reasons({"cpa_ratio": 2.3}, Arm.PAUSE, [])[0].text
    'CPA is 130% above target'
    """
    amounts = {item.feature: item.amount for item in contributions}
    said = [
        Reason(text, field=field, observed=state.get(field), contribution=amounts.get(field))
        for field, text in sentences(state, arm)
    ]
    covered = {reason.field for reason in said}
    strongest = sorted(contributions, key=lambda item: -item.amount)
    for item in strongest[:_SHOWN]:
        observed = state.get(item.feature)
        if item.amount >= _MIN_CONTRIBUTION and item.feature not in covered:
            text = _text(item, observed)
            said.append(Reason(text, item.feature, observed, contribution=item.amount))
    return tuple(said) or (Reason(LEARNED),)


def contributions(
    context: Context,
    one: States,
    arm: Arm,
    *,
    scores: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> list[Contribution]:
    """Return what each feature of the one state adds to the arm's lead; `scores` judges vectors."""
    groups = context.groups
    judged = scores(occluded(context.of_states(one)[0], groups))
    lead = advantages(judged, ARM_INDEX[arm])
    return [
        Contribution(name, float(lead[0] - lead[at]), context.usual(name))
        for at, name in enumerate(groups, start=1)
    ]


def sentences(state: Mapping[str, Value], arm: Arm) -> list[tuple[str, str]]:
    """Return (field, sentence) for each of the plan's explanations that definitely holds."""
    said = []
    ratio, roas = _number(state, "cpa_ratio"), _number(state, "roas")
    frequency, trend = _number(state, "frequency"), _number(state, "ctr_trend_7d")
    if ratio > CPA_RATIO_HIGH and arm is Arm.PAUSE:
        said.append(("cpa_ratio", f"CPA is {ratio * 100 - 100:.0f}% above target"))
    if frequency > FREQUENCY_HIGH and trend < CTR_FALLING_PERCENT:
        said.append(("frequency", f"Frequency {frequency:.1f} with declining CTR suggests fatigue"))
    if roas > ROAS_HIGH and (ARM_PERCENT[arm] or 0) > 0:
        said.append(("roas", f"ROAS {roas:.1f}x suggests room to scale"))
    return said


def occluded(vector: NDArray[np.float64], groups: Mapping[str, list[int]]) -> NDArray[np.float64]:
    """Return (1 + features, width): the vector itself, then with each feature as usual."""
    variants = np.repeat(vector[None, :], 1 + len(groups), axis=0)
    for row, places in enumerate(groups.values(), start=1):
        variants[row, places] = 0.0
    return variants


def advantages(scores: NDArray[np.float64], arm: int) -> NDArray[np.float64]:
    """Return each row's score of `arm` less the mean score of the other arms."""
    others = scores.shape[1] - 1
    own = scores[:, arm]
    lead: NDArray[np.float64] = own - (scores.sum(axis=1) - own) / others
    return lead


def _number(state: Mapping[str, Value], name: str) -> float:
    value = state.get(name)
    return math.nan if value is None or isinstance(value, str) else float(value)


def _text(item: Contribution, observed: Value) -> str:
    spoken = SPOKEN.get(item.feature, item.feature.replace("_", " "))
    if observed is None:
        return f"{spoken} is unknown"
    if isinstance(observed, str):
        return f"{spoken} is {observed.lower().replace('_', ' ')}"
    if item.usual is None:
        return f"{spoken} is {_shown(item.feature, observed)}"
    seen, usual = (_shown(item.feature, value) for value in (observed, item.usual))
    margin = _NEAR_USUAL * max(abs(item.usual), _NEAR_USUAL)
    if abs(observed - item.usual) <= margin:
        return f"{spoken} is {seen}, as usual"
    side = "above" if observed > item.usual else "below"
    return f"{spoken} is {seen}, {side} the usual {usual}"


def _shown(feature: str, value: float) -> str:
    """Return a value as its feature is read.

    >>> _shown("budget_utilization", 0.709), _shown("cpa_trend_7d", -12.34), _shown("roas", 2.718)
    ('71%', '\u221212%', '2.72')
    """
    if feature in _SHARES:
        text = f"{value:.0%}"
    elif _TREND in feature:
        text = f"{value:+.0f}%"
    elif abs(value) >= _WHOLE_FROM:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")
