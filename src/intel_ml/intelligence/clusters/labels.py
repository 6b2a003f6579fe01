"""Names for groups of entities: the plan's (§10.2), in the account's own scale.

The plan's 20, 40 and 60 are 1, 2 and 3 times its target of 20, so a group is judged by CPA over
target. Without a target, by where its typical CPA lies among all entities. A group whose fatigue is
unknown is judged by CPA alone and says so; groups with one name are told apart by what each clearly
has least or most of.

Reads   typical values of each group, scaled and not.
Gives   a name, a basis and a short description for each.
Never   says of a group what wasn't measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STAR = "Star Performers"
RELIABLE = "Reliable Workhorses"
FATIGUING = "Fast Fatiguing"
COSTLY = "High CPA Candidates for Pause"
MIXED = "Mixed Performance"


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a CPA stops being excellent, good, bearable; and a fatigue rate low, bearable, fast."""

    star: float
    reliable: float
    costly: float
    fatigue_low: float = 0.1
    fatigue_fair: float = 0.2
    fatigue_fast: float = 0.3


#: By CPA over target, as the plan draws them; by rank among all entities without a target.
BY_TARGET = Lines(star=1.0, reliable=2.0, costly=3.0)
BY_RANK = Lines(star=0.33, reliable=0.55, costly=0.65)

SPOKEN: dict[str, str] = {
    "avg_cpa_ratio": "CPA",
    "avg_cpa": "CPA",
    "cpa_volatility": "CPA volatility",
    "conversion_rate": "conversion rate",
    "fatigue_rate": "fatigue",
    "optimal_frequency": "selling frequency",
    "best_hour_concentration": "concentration on few hours",
    "budget_efficiency": "share of spend on good days",
    "ctr": "CTR",
    "cpc": "CPC",
}
#: What a group is called that has less, or more, of something than all others of its name.
TOLD: dict[str, tuple[str, str]] = {
    "avg_cpa_ratio": ("cheaper results", "dearer results"),
    "avg_cpa": ("cheaper results", "dearer results"),
    "cpa_volatility": ("steadier costs", "swinging costs"),
    "conversion_rate": ("fewer clicks convert", "more clicks convert"),
    "fatigue_rate": ("slower to tire", "quicker to tire"),
    "optimal_frequency": ("sells when seldom seen", "sells when often seen"),
    "best_hour_concentration": ("steadier through the day", "best at a few hours"),
    "budget_efficiency": ("more expensive days", "fewer expensive days"),
    "ctr": ("fewer clicks", "more clicks"),
    "cpc": ("cheaper clicks", "dearer clicks"),
}
#: A buyer looks at cost first: a lead there counts twice.
_FIRST = {"avg_cpa_ratio": 2.0, "avg_cpa": 2.0}
_STRONG, _CLEAR = 1.5, 0.5
_DESCRIBED = 3
_NO_RESULT = "most without a result"


def label(cpa: float, fatigue: float, lines: Lines) -> str:
    """Return the plan's name for a group; a condition on the unknown doesn't hold against it.

    >>> label(0.8, 0.05, BY_TARGET), label(0.8, 0.5, BY_TARGET), label(3.5, 0.0, BY_TARGET)
    ('Star Performers', 'Fast Fatiguing', 'High CPA Candidates for Pause')
    """
    if cpa < lines.star and not fatigue >= lines.fatigue_low:
        return STAR
    if cpa < lines.reliable and not fatigue >= lines.fatigue_fair:
        return RELIABLE
    if fatigue > lines.fatigue_fast:
        return FATIGUING
    if cpa > lines.costly:
        return COSTLY
    return MIXED


def basis(*, has_target: bool, fatigue: float) -> str:
    """Return what a name rests on."""
    cost = "CPA over target" if has_target else "rank of CPA among all entities (no target known)"
    return cost if math.isfinite(fatigue) else f"{cost}; fatigue unknown"


def describe(centre: Mapping[str, float], *, typical: Mapping[str, float]) -> str:
    """Return what stands out of a scaled centre, strongest first; before it, a lack of results.

    >>> describe({"avg_cpa": 2.0, "ctr": -0.8, "cpc": 0.1}, typical={})
    'very high CPA, low CTR'
    >>> describe({"ctr": 0.9}, typical={"conversion_rate": 0.0})
    'most without a result, high CTR'
    """
    order = sorted(centre, key=lambda name: -abs(centre[name]))
    said = [_side(name, centre[name]) for name in order if abs(centre[name]) >= _CLEAR]
    if typical.get("conversion_rate") == 0:
        said = [_NO_RESULT, *(words for words in said if not words.endswith("conversion rate"))]
    return ", ".join(said[:_DESCRIBED]) or "close to the typical entity"


def told_apart(
    names: Sequence[str], centres: NDArray[np.float64], features: Sequence[str]
) -> list[str]:
    """Return names that are all different: where two would be one, what sets each apart is added.

    A group is told by what it clearly has least or most of among those of its name; one that stands
    out in nothing gets a number.

    >>> told_apart([STAR, STAR], np.array([[0.0], [2.0]]), ["best_hour_concentration"])
    ['Star Performers: steadier through the day', 'Star Performers: best at a few hours']
    """
    result = list(names)
    for name in dict.fromkeys(names):
        same = [at for at, other in enumerate(names) if other == name]
        if len(same) == 1:
            continue
        told = _what_sets_apart(centres[same], features)
        for rank, index in enumerate(same):
            result[index] = f"{name}: {told[rank]}" if rank in told else f"{name} {rank + 1}"
    return result


def _what_sets_apart(group: NDArray[np.float64], features: Sequence[str]) -> dict[int, str]:
    """Return words for the rows that lead all others in something, the widest lead first."""
    leads = []
    for at, feature in enumerate(features):
        order = np.argsort(group[:, at], kind="stable")
        rows = group[order, at]
        words = TOLD.get(feature, (f"lower {feature}", f"higher {feature}"))
        weight = _FIRST.get(feature, 1.0)
        leads.append((weight * (rows[1] - rows[0]), int(order[0]), words[0]))
        leads.append((weight * (rows[-1] - rows[-2]), int(order[-1]), words[1]))
    told: dict[int, str] = {}
    for lead, row, word in sorted(leads, key=lambda one: -one[0]):
        if lead >= _CLEAR and row not in told and word not in told.values():
            told[row] = word
    return told


def _side(name: str, amount: float) -> str:
    side = "high" if amount > 0 else "low"
    return f"{'very ' if abs(amount) >= _STRONG else ''}{side} {SPOKEN.get(name, name)}"
