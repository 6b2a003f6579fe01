"""How well an account does: four components from 0 to 100, their mean, and what to do first (§3.5).

    learning_health     share of spend outside the learning phase: limited counts against it fully,
                        learning by half
    performance         CPA against target (or ROAS, where only that has one), and its 7-day trend
    budget_efficiency   share of spend on entities at or under 1.5 times target
    creative_health     share of spend on ads that aren't worn: frequency under 3.5, or CTR holding

Each is weighted by what was spent in seven days, so a forgotten ad set doesn't count like the main
one. What is unknown takes no part; a component with nothing to judge is None, and so is the score
where all are.

Reads   `States` of one account, as of one moment.
Gives   an `AccountScore`.
Never   takes silence for health.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.features.states import States

COSTLY_RATIO, PAUSE_RATIO = 1.5, 3.0
FREQUENCY_WORN, CTR_FALLING_PERCENT = 3.5, -10.0
_SCALE_RATIO = 0.7
_TREND_LINE = 5.0
_MAX_TREND = 20.0
_MAX_RECOMMENDATIONS = 5
_LEARNING, _LIMITED = "LEARNING", "LEARNING_LIMITED"


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the score; `detail` says what it rests on."""

    score: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScoreRecommendation:
    """What would help most, in words; a proposal comes from rules and policy, not from here."""

    priority: str
    action: str
    entity: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountScore:
    """The account's score and its parts, None where there was nothing to judge by."""

    overall: int | None
    learning_health: Component
    performance: Component
    budget_efficiency: Component
    creative_health: Component
    recommendations: tuple[ScoreRecommendation, ...]

    @property
    def breakdown(self) -> dict[str, dict[str, Any]]:
        """The plan's `score_breakdown`, plain JSON."""
        parts = {
            "learning_health": self.learning_health,
            "performance": self.performance,
            "budget_efficiency": self.budget_efficiency,
            "creative_health": self.creative_health,
        }
        return {name: {"score": part.score, **part.detail} for name, part in parts.items()}


def account_score(states: States) -> AccountScore:
    """Return the score of one account from the states of its ad sets and ads."""
    ad_sets = _of_level(states, EntityType.ADSET)
    ads = _of_level(states, EntityType.AD)
    parts = (
        _learning(ad_sets),
        _performance(ad_sets),
        _efficiency(ad_sets),
        _creative(ads if len(ads) else ad_sets),
    )
    known = [part.score for part in parts if part.score is not None]
    return AccountScore(
        overall=round(sum(known) / len(known)) if known else None,
        learning_health=parts[0],
        performance=parts[1],
        budget_efficiency=parts[2],
        creative_health=parts[3],
        recommendations=_recommendations(ad_sets, ads),
    )


def _learning(states: States) -> Component:
    phases = _words(states, "learning_phase")
    spend = _spend(states)
    known = np.array([phase is not None for phase in phases], dtype=bool) & (spend > 0)
    learning = np.array([phase == _LEARNING for phase in phases], dtype=bool)
    limited = np.array([phase == _LIMITED for phase in phases], dtype=bool)
    detail = {
        "in_learning": int((learning & known).sum()),
        "learning_limited": int((limited & known).sum()),
        "issues": [
            f"{states.entities[at]} is learning limited" for at in np.flatnonzero(limited & known)
        ],
    }
    lost = np.where(limited, 1.0, np.where(learning, 0.5, 0.0)).astype(np.float64)
    return Component(
        _weighted(np.asarray(100.0 * (1.0 - lost), dtype=np.float64), spend, known), detail
    )


def _performance(states: States) -> Component:
    spend, ratio = _spend(states), _numbers(states, "cpa_ratio")
    roas, target = _numbers(states, "roas"), _numbers(states, "target_roas")
    # A CPA at target is worth 75; half of it 100, twice 25.
    by_cost = np.clip(75 - 50 * np.log2(np.maximum(ratio, 1e-9)), 0, 100)
    by_return = np.clip(75 + 50 * np.log2(np.maximum(roas, 1e-9) / target), 0, 100)
    judged = np.where(np.isfinite(by_cost) & np.isfinite(ratio), by_cost, by_return)
    cost_trend = _mean(_numbers(states, "cpa_trend_7d"), spend)
    return_trend = _mean(_numbers(states, "roas_trend_7d"), spend)
    score = _weighted(judged, spend, np.isfinite(judged) & (spend > 0))
    if score is not None and cost_trend is not None:
        score = round(min(max(score - min(max(cost_trend, -_MAX_TREND), _MAX_TREND) / 2, 0), 100))
    detail = {
        "cpa_trend": _direction(cost_trend),
        "roas_trend": _direction(return_trend),
        "cpa_ratio": _mean(ratio, spend),
    }
    return Component(score, detail)


def _efficiency(states: States) -> Component:
    spend, ratio = _spend(states), _numbers(states, "cpa_ratio")
    results = _numbers(states, "conversions_7d")
    dear = np.isfinite(ratio) & (ratio > COSTLY_RATIO)
    target = _numbers(states, "target_cpa")
    # Money without a single result is dear as soon as it exceeds what 1.5 results may cost.
    nothing = (results == 0) & (spend > COSTLY_RATIO * target)
    known = (np.isfinite(ratio) | nothing | ((results == 0) & np.isfinite(target))) & (spend > 0)
    score = _weighted(np.where(dear | nothing, 0.0, 100.0), spend, known)
    detail = {
        "underperforming_spend": None if score is None else (100 - score) / 100,
        "underperforming": [
            str(states.entities[at]) for at in np.flatnonzero((dear | nothing) & known)
        ],
    }
    return Component(score, detail)


def _creative(states: States) -> Component:
    spend, worn, known = _spend(states), _worn(states), np.isfinite(_numbers(states, "frequency"))
    detail = {"fatigue_risk": [str(states.entities[at].id) for at in np.flatnonzero(worn)]}
    return Component(_weighted(np.where(worn, 0.0, 100.0), spend, known & (spend > 0)), detail)


def _worn(states: States) -> NDArray[np.bool_]:
    frequency, trend = _numbers(states, "frequency"), _numbers(states, "ctr_trend_7d")
    return np.asarray((frequency > FREQUENCY_WORN) & (trend < CTR_FALLING_PERCENT))


def _recommendations(ad_sets: States, ads: States) -> tuple[ScoreRecommendation, ...]:
    spend, ratio = _spend(ad_sets), _numbers(ad_sets, "cpa_ratio")
    found: list[tuple[float, ScoreRecommendation]] = []
    for at in _rows((ratio > COSTLY_RATIO) & (spend > 0)):
        action = "pause" if ratio[at] > PAUSE_RATIO else "reduce"
        share = f"{spend[at] / np.nansum(spend):.0%} of the week's spend"
        reason = f"CPA is {ratio[at]:.1f} times target, with {share}"
        found.append((spend[at] * ratio[at], _advice("high", action, ad_sets, at, reason)))
    for at in _rows((ratio < _SCALE_RATIO) & (spend > 0)):
        reason = f"CPA is {ratio[at]:.1f} times target: there may be room for more budget"
        found.append((spend[at], _advice("medium", "scale", ad_sets, at, reason)))
    for at in _rows(_worn(ads)):
        reason = "Frequency is high and CTR falls: people have seen it too often"
        found.append((_spend(ads)[at], _advice("medium", "refresh", ads, at, reason)))
    order = {"high": 0, "medium": 1}
    found.sort(key=lambda item: (order[item[1].priority], -item[0]))
    return tuple(advice for _, advice in found[:_MAX_RECOMMENDATIONS])


def _advice(
    priority: str, action: str, states: States, at: int, reason: str
) -> ScoreRecommendation:
    return ScoreRecommendation(priority, action, str(states.entities[at]), reason)


def _rows(mask: NDArray[np.bool_]) -> list[int]:
    return [int(at) for at in np.flatnonzero(mask)]


def _weighted(
    scores: NDArray[np.float64], weights: NDArray[np.float64], known: NDArray[np.bool_]
) -> int | None:
    total = float(weights[known].sum())
    return round(float((scores[known] * weights[known]).sum()) / total) if total > 0 else None


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float | None:
    known = np.isfinite(values) & (weights > 0)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum()) / total if total > 0 else None


def _direction(trend: float | None) -> str | None:
    if trend is None:
        return None
    if abs(trend) < _TREND_LINE:
        return "flat"
    return "up" if trend > 0 else "down"


def _of_level(states: States, level: EntityType) -> States:
    return states.take([at for at, entity in enumerate(states.entities) if entity.type == level])


def _spend(states: States) -> NDArray[np.float64]:
    """Return what each spent in seven days; the unknown weighs nothing."""
    return np.nan_to_num(_numbers(states, "spend_7d"), nan=0.0)


def _numbers(states: States, name: str) -> NDArray[np.float64]:
    column = states.columns.get(name)
    return (
        np.full(len(states), math.nan) if column is None else np.asarray(column, dtype=np.float64)
    )


def _words(states: States, name: str) -> list[str | None]:
    column = states.columns.get(name)
    values = [None] * len(states) if column is None else list(column)
    return [value if isinstance(value, str) else None for value in values]
