"""One row of insights as JSON: numbers as strings, money in major units.

Reads   the counts of one entity in one window.
Gives   the fields asked for.
Never   writes a ratio whose denominator is zero, nor an empty list: such keys are absent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from intel_ml.data.sandbox.graph.actions import PURCHASES, Engagement, Style, text_of

_PERCENT = 100.0
_MILLE = 1000.0
_RANKED_IMPRESSIONS = 500
#: An ad's ratio against its account's, and the name of its rank.
_RANKS = (
    (1.1, "ABOVE_AVERAGE"),
    (0.9, "AVERAGE"),
    (0.8, "BELOW_AVERAGE_35"),
    (0.65, "BELOW_AVERAGE_20"),
    (0.0, "BELOW_AVERAGE_10"),
)


@dataclass(slots=True)
class RowFacts:
    """Counts of one entity and window, spend and value in minor units; `names` are its own texts.

    `peers` has (impressions, clicks, purchases) of all its account's ads where ads are compared.
    """

    names: Mapping[str, str]
    impressions: int
    clicks: int
    spend: int
    value: int
    reach: int
    did: Engagement
    style: Style
    has_reach: bool = True
    is_hourly: bool = False
    peers: tuple[int, int, int] | None = None

    @property
    def cost(self) -> float:
        """Spend in major units."""
        return self.spend / 10.0**self.style.digits


Render = Callable[[RowFacts], Any]


def render_row(facts: RowFacts, asked: tuple[str, ...]) -> dict[str, Any]:
    """Return the row's fields; what is unknown or empty is absent."""
    row: dict[str, Any] = {}
    names = facts.names
    for name, render in _plan(asked):
        value = names.get(name) if render is None else render(facts)
        if value is not None:
            row[name] = value
    return row


@functools.lru_cache(maxsize=256)
def _plan(asked: tuple[str, ...]) -> tuple[tuple[str, Render | None], ...]:
    """Return each field with what renders it; the others are names."""
    return tuple((name, RENDERS.get(name)) for name in asked)


def number_of(facts: RowFacts, field: str, action_type: str | None = None) -> float:
    """Return what a field counts as in filters and sorting; what is absent is nothing."""
    seen = RENDERS[field](facts)
    if isinstance(seen, list):
        items = [item for item in seen if action_type in (None, item.get("action_type"))]
        seen = items[0].get("value") if items else 0
    return float(seen or 0)


def ratio(top: float, bottom: float) -> str | None:
    """Return top / bottom with six digits, None where there is nothing to divide by."""
    return f"{top / bottom:.6f}".rstrip("0").rstrip(".") if bottom else None


def _unique(f: RowFacts, clicks: int) -> int:
    """Return how many people clicked: nobody who wasn't reached."""
    return min(clicks, f.reach)


def _values(f: RowFacts) -> list[dict[str, str]] | None:
    return f.style.items([(PURCHASES, f.value)], digits=f.style.digits)


def _costs(f: RowFacts) -> list[dict[str, str]] | None:
    return [
        {"action_type": name, "value": ratio(f.cost, count) or "0"}
        for names, count in f.did.counted()
        if count
        for name in names
    ] or None


def _outbound(f: RowFacts, value: str | None) -> list[dict[str, str]] | None:
    return [{"action_type": "outbound_click", "value": value}] if value and f.did.links else None


def _roas(f: RowFacts, name: str) -> list[dict[str, str]] | None:
    value = ratio(f.value, f.spend)
    if value is None or not f.did.purchases:
        return None
    return [{"action_type": name, "value": value}]


def _result(f: RowFacts, value: str | None) -> list[dict[str, Any]] | None:
    if not f.did.purchases or value is None:
        return None
    return [
        {
            "indicator": f"actions:{PURCHASES[2]}",
            "values": [{"value": value, "attribution_windows": ["default"]}],
        }
    ]


def _rank(f: RowFacts, own: float, usual: float) -> str | None:
    """Return where an ad stands among those it competes with; too few impressions tell nothing."""
    if f.peers is None:
        return None
    if f.impressions < _RANKED_IMPRESSIONS or not usual:
        return "UNKNOWN"
    return next(name for least, name in _RANKS if own / usual >= least)


def _click_rank(f: RowFacts) -> str | None:
    seen, clicks, _ = f.peers or (0, 0, 0)
    return _rank(f, f.clicks / max(f.impressions, 1), clicks / max(seen, 1))


def _purchase_rank(f: RowFacts) -> str | None:
    _, clicks, purchases = f.peers or (0, 0, 0)
    return _rank(f, f.did.purchases / max(f.clicks, 1), purchases / max(clicks, 1))


def _some(count: float) -> str | None:
    return str(count) if count else None


RENDERS: dict[str, Render] = {
    "impressions": lambda f: str(f.impressions),
    "clicks": lambda f: str(f.clicks),
    "spend": lambda f: text_of(f.spend, f.style.digits),
    "reach": lambda f: str(f.reach) if f.has_reach else None,
    "frequency": lambda f: (
        "0" if f.is_hourly else ratio(f.impressions, f.reach) if f.has_reach else None
    ),
    "ctr": lambda f: ratio(_PERCENT * f.clicks, f.impressions),
    "cpc": lambda f: ratio(f.cost, f.clicks),
    "cpm": lambda f: ratio(_MILLE * f.cost, f.impressions),
    "cpp": lambda f: ratio(_MILLE * f.cost, f.reach) if f.has_reach else None,
    "unique_clicks": lambda f: _some(_unique(f, f.clicks)),
    "unique_ctr": lambda f: ratio(_PERCENT * _unique(f, f.clicks), f.reach),
    "cost_per_unique_click": lambda f: ratio(f.cost, _unique(f, f.clicks)),
    "unique_inline_link_clicks": lambda f: _some(_unique(f, f.did.links)),
    "cost_per_unique_inline_link_click": lambda f: ratio(f.cost, _unique(f, f.did.links)),
    "inline_link_clicks": lambda f: _some(f.did.links),
    "inline_link_click_ctr": lambda f: ratio(_PERCENT * f.did.links, f.impressions),
    "cost_per_inline_link_click": lambda f: ratio(f.cost, f.did.links),
    "inline_post_engagement": lambda f: _some(f.did.links + f.did.reactions),
    "cost_per_inline_post_engagement": lambda f: ratio(f.cost, f.did.links + f.did.reactions),
    "outbound_clicks": lambda f: f.style.items([(("outbound_click",), f.did.links)], digits=0),
    "outbound_clicks_ctr": lambda f: _outbound(f, ratio(_PERCENT * f.did.links, f.impressions)),
    "cost_per_outbound_click": lambda f: _outbound(f, ratio(f.cost, f.did.links)),
    "actions": lambda f: f.style.items(f.did.counted(), digits=0),
    "action_values": _values,
    "cost_per_action_type": _costs,
    "purchase_roas": lambda f: _roas(f, "omni_purchase"),
    "website_purchase_roas": lambda f: _roas(f, "offsite_conversion.fb_pixel_purchase"),
    "results": lambda f: _result(f, str(f.did.purchases)),
    "cost_per_result": lambda f: _result(f, ratio(f.cost, f.did.purchases)),
    "quality_ranking": _click_rank,
    "engagement_rate_ranking": _click_rank,
    "conversion_rate_ranking": _purchase_rank,
}
RANKS = frozenset(name for name in RENDERS if name.endswith("_ranking"))
#: Numbers only: what may be filtered, sorted and summed up.
NUMBERS = frozenset(RENDERS) - RANKS - {"results", "cost_per_result"}
