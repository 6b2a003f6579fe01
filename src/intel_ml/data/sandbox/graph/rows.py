"""One row of insights as JSON: numbers as strings, money in major units.

Reads   the counts of one entity in one window.
Gives   the fields asked for.
Never   writes a ratio whose denominator is zero, nor an empty list: such keys are absent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_PERCENT = 100.0
_MILLE = 1000.0
#: The same purchase under each of its names; a reader takes one and never adds them up.
PURCHASES = (
    "purchase",
    "omni_purchase",
    "offsite_conversion.fb_pixel_purchase",
    "onsite_web_purchase",
    "onsite_web_app_purchase",
)
_LINK_SHARE, _LANDING_SHARE, _POST_EXTRA = 0.84, 0.7, 1.12
_CARTS, _CHECKOUTS = 3, 2
_WINDOW_SHARES = {
    "1d_click": 0.7,
    "7d_click": 0.92,
    "28d_click": 0.97,
    "1d_view": 0.08,
    "1d_ev": 0.0,
}


@dataclass(slots=True)
class RowFacts:
    """Counts of one entity and window; money in major units, `names` are ids and names."""

    names: dict[str, str]
    impressions: int
    clicks: int
    spend: float
    conversions: int
    value: float
    reach: int
    digits: int
    windows: tuple[str, ...]
    hour: str | None = None


Render = Callable[[RowFacts], Any]


def render_row(facts: RowFacts, asked: tuple[str, ...]) -> dict[str, Any]:
    """Return the row's fields; what is unknown or empty is absent."""
    row: dict[str, Any] = {}
    for name in asked:
        render = RENDERS.get(name)
        value = render(facts) if render else facts.names.get(name)
        if value is not None:
            row[name] = value
    return row


def ratio(top: float, bottom: float) -> str | None:
    """Return top / bottom with six digits, None where there is nothing to divide by."""
    return f"{top / bottom:.6f}".rstrip("0").rstrip(".") if bottom else None


def _money(amount: float, digits: int) -> str:
    return f"{amount:.{digits}f}" if digits else str(round(amount))


def _links(facts: RowFacts) -> int:
    return round(facts.clicks * _LINK_SHARE)


def _items(
    pairs: list[tuple[str, float]], facts: RowFacts, digits: int
) -> list[dict[str, str]] | None:
    items = []
    for name, amount in pairs:
        if amount <= 0:
            continue
        item = {"action_type": name, "value": _money(amount, digits)}
        for window in facts.windows:
            part = amount * _WINDOW_SHARES.get(window, 0.0)
            if round(part, digits) > 0:
                item[window] = _money(part, digits)
        items.append(item)
    return items or None


def _counted(facts: RowFacts) -> list[tuple[str, float]]:
    links = _links(facts)
    pairs: list[tuple[str, float]] = [
        ("link_click", links),
        ("landing_page_view", round(facts.clicks * _LANDING_SHARE)),
        ("post_engagement", round(links * _POST_EXTRA)),
        ("page_engagement", round(links * _POST_EXTRA)),
    ]
    if facts.conversions:
        carts, checkouts = facts.conversions * _CARTS, facts.conversions * _CHECKOUTS
        pairs += [
            ("add_to_cart", carts),
            ("offsite_conversion.fb_pixel_add_to_cart", carts),
            ("initiate_checkout", checkouts),
            ("offsite_conversion.fb_pixel_initiate_checkout", checkouts),
        ]
        pairs += [(name, facts.conversions) for name in PURCHASES]
    return pairs


def _costs(facts: RowFacts) -> list[dict[str, str]] | None:
    return [
        {"action_type": name, "value": ratio(facts.spend, count) or "0"}
        for name, count in _counted(facts)
        if count
    ] or None


def _roas(facts: RowFacts, name: str) -> list[dict[str, str]] | None:
    value = ratio(facts.value, facts.spend)
    if value is None or not facts.conversions:
        return None
    return [{"action_type": name, "value": value}]


def _result(facts: RowFacts, value: str | None) -> list[dict[str, Any]] | None:
    if not facts.conversions or value is None:
        return None
    return [
        {
            "indicator": f"actions:{PURCHASES[2]}",
            "values": [{"value": value, "attribution_windows": ["default"]}],
        }
    ]


def _some(count: float) -> str | None:
    return str(count) if count else None


RENDERS: dict[str, Render] = {
    "impressions": lambda f: str(f.impressions),
    "clicks": lambda f: str(f.clicks),
    "spend": lambda f: _money(f.spend, f.digits),
    "reach": lambda f: str(f.reach),
    "frequency": lambda f: "0" if f.hour else ratio(f.impressions, f.reach),
    "ctr": lambda f: ratio(_PERCENT * f.clicks, f.impressions),
    "cpc": lambda f: ratio(f.spend, f.clicks),
    "cpm": lambda f: ratio(_MILLE * f.spend, f.impressions),
    "cpp": lambda f: ratio(_MILLE * f.spend, f.reach),
    "unique_clicks": lambda f: _some(min(f.clicks, f.reach)),
    "inline_link_clicks": lambda f: _some(_links(f)),
    "inline_link_click_ctr": lambda f: ratio(_PERCENT * _links(f), f.impressions),
    "cost_per_inline_link_click": lambda f: ratio(f.spend, _links(f)),
    "outbound_clicks": lambda f: _items([("outbound_click", _links(f))], f, 0),
    "actions": lambda f: _items(_counted(f), f, 0),
    "action_values": lambda f: (
        _items([(name, f.value) for name in PURCHASES], f, f.digits) if f.conversions else None
    ),
    "cost_per_action_type": _costs,
    "purchase_roas": lambda f: _roas(f, "omni_purchase"),
    "website_purchase_roas": lambda f: _roas(f, "offsite_conversion.fb_pixel_purchase"),
    "results": lambda f: _result(f, str(f.conversions)),
    "cost_per_result": lambda f: _result(f, ratio(f.spend, f.conversions)),
    "objective": lambda _f: "OUTCOME_SALES",
    "optimization_goal": lambda _f: "OFFSITE_CONVERSIONS",
    "buying_type": lambda _f: "AUCTION",
    "attribution_setting": lambda _f: "7d_click_or_1d_view",
}
