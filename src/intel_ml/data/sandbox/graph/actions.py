"""Action lists: what people did, under all the names Meta gives it.

Reads   the counts of a row.
Gives   lists of `{action_type, value}`, with attribution windows and action breakdowns.
Never   adds types up: page_engagement holds post_engagement, which holds link_click; and a purchase
        appears under each of its names at once.

    value = 7d_click + 1d_view (the default attribution),   1d_click <= 7d_click <= 28d_click
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise, product
from typing import NamedTuple

from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.listing import parse_names

#: The same purchase under each of its names; a reader takes one and never adds them up.
PURCHASES = (
    "purchase",
    "omni_purchase",
    "offsite_conversion.fb_pixel_purchase",
    "onsite_web_purchase",
    "onsite_web_app_purchase",
)
_CARTS = ("add_to_cart", "offsite_conversion.fb_pixel_add_to_cart")
_CHECKOUTS = ("initiate_checkout", "offsite_conversion.fb_pixel_initiate_checkout")
_CARTS_EACH, _CHECKOUTS_EACH = 3, 2
#: Shares of an action by window, with the default's two adding up to all of it.
_WINDOW_SHARES = {
    "1d_click": 0.7,
    "7d_click": 0.92,
    "28d_click": 0.97,
    "dda": 0.95,
    "incrementality": 0.55,
}
_SEVEN_DAYS, _VIEW = "7d_click", "1d_view"
#: Named by the API and never filled here: dropped views, engaged views, apps, sequences.
_EMPTY_WINDOWS = frozenset(
    {
        "1d_ev",
        "1d_sequenced",
        "28d_sequenced",
        "28d_view",
        "28d_view_all_conversions",
        "28d_view_first_conversion",
        "7d_sequenced",
        "7d_view",
        "7d_view_all_conversions",
        "7d_view_first_conversion",
        "custom",
        "default",
        "incrementality_all_conversions",
        "incrementality_first_conversion",
        "skan_click",
        "skan_click_second_postback",
        "skan_click_third_postback",
        "skan_view",
        "skan_view_second_postback",
        "skan_view_third_postback",
    }
)
_ACTION_PARTS: dict[str, tuple[tuple[str, float], ...]] = {
    "action_device": (("iphone", 0.45), ("android_smartphone", 0.38), ("desktop", 0.17)),
    "action_destination": (("www.example.com", 1.0),),
}
_TYPE = "action_type"
Counted = tuple[tuple[str, ...], int]


class Engagement(NamedTuple):
    """What people did with an ad beside looking at it."""

    links: int
    landings: int
    reactions: int
    likes: int
    purchases: int

    def counted(self) -> list[Counted]:
        """Return every action with its names and count, nested as Meta nests them."""
        posts = self.links + self.reactions
        carts = self.purchases * _CARTS_EACH
        found: list[Counted] = [
            (("link_click",), self.links),
            (("landing_page_view",), self.landings),
            (("post_engagement",), posts),
            (("page_engagement",), posts + self.likes),
        ]
        if self.purchases:
            found += [
                (_CARTS, carts),
                (_CHECKOUTS, self.purchases * _CHECKOUTS_EACH),
                (PURCHASES, self.purchases),
            ]
        return found


_UNDIVIDED: tuple[tuple[Mapping[str, str], float], ...] = (({}, 1.0),)


@dataclass(frozen=True, slots=True)
class Style:
    """How a question wants its action lists: windows, breakdowns, digits of money."""

    windows: tuple[str, ...] = ()
    parts: tuple[tuple[Mapping[str, str], float], ...] = _UNDIVIDED
    digits: int = 2

    def items(self, counted: Iterable[Counted], *, digits: int) -> list[dict[str, str]] | None:
        """Return an item for each name and part; None where nobody did anything.

        Amounts are in units of the last digit: minor units of money, or pieces.
        """
        if not self.windows and self.parts is _UNDIVIDED:
            return [
                {_TYPE: name, "value": text}
                for names, units in counted
                if units > 0
                for text in (text_of(units, digits),)
                for name in names
            ] or None
        return [
            item
            for names, units in counted
            if units > 0
            for name in names
            for item in self._divided(name, units, digits)
        ] or None

    def _divided(self, name: str, units: int, digits: int) -> list[dict[str, str]]:
        items = []
        ends = accumulate((share for _, share in self.parts), initial=0.0)
        for (labels, _), (low, high) in zip(self.parts, pairwise(ends), strict=True):
            own = round(units * high) - round(units * low)
            if own > 0:
                items.append(self._item(name, own, digits, labels))
        return items

    def _item(
        self, name: str, units: int, digits: int, labels: Mapping[str, str]
    ) -> dict[str, str]:
        item = {_TYPE: name, **labels, "value": text_of(units, digits)}
        for window in self.windows:
            if window == _VIEW:
                own = units - round(units * _WINDOW_SHARES[_SEVEN_DAYS])
            else:
                own = round(units * _WINDOW_SHARES.get(window, 0.0))
            if own > 0:
                item[window] = text_of(own, digits)
        return item


def style_of(params: Mapping[str, str], *, digits: int) -> Style:
    """Return the style that a question's parameters ask for."""
    windows = parse_names(params.get("action_attribution_windows"), "action_attribution_windows")
    for n, window in enumerate(windows):
        if window not in _WINDOW_SHARES and window != _VIEW and window not in _EMPTY_WINDOWS:
            known = sorted({*_WINDOW_SHARES, _VIEW, *_EMPTY_WINDOWS})
            raise bad_parameter(
                f"action_attribution_windows[{n}] must be one of the following values: "
                f"{', '.join(known)}"
            )
    names = parse_names(params.get("action_breakdowns"), "action_breakdowns")
    for n, name in enumerate(names):
        if name != _TYPE and name not in _ACTION_PARTS:
            raise bad_parameter(
                f"action_breakdowns[{n}] must be one of the following values: "
                f"{', '.join((_TYPE, *_ACTION_PARTS))}"
            )
    return Style(windows, _parts(tuple(name for name in names if name != _TYPE)), digits)


def text_of(units: int, digits: int) -> str:
    """Return an amount of minor units as Meta writes it.

    >>> text_of(1435, 2), text_of(1435, 0)
    ('14.35', '1435')
    """
    return f"{units / 10**digits:.{digits}f}" if digits else str(units)


def _parts(names: tuple[str, ...]) -> tuple[tuple[Mapping[str, str], float], ...]:
    if not names:
        return _UNDIVIDED
    parts: list[tuple[Mapping[str, str], float]] = []
    for choice in product(*(_ACTION_PARTS[name] for name in dict.fromkeys(names))):
        share = 1.0
        for _, part in choice:
            share *= part
        labels = [label for label, _ in choice]
        parts.append((dict(zip(dict.fromkeys(names), labels, strict=True)), share))
    return tuple(parts)
