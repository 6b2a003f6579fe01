"""Breakdowns: how the counts of an hour fall into parts that add up to the whole.

    part j of n units = T_j[a + n] - T_j[a]

where T_j[k] counts how many of the first k places of a shuffled row of 1,000 belong to part j, and
`a` is the place of the ad's next click when an hour begins: one place for each click it had. Units
are given out in the order of the row, so parts add up over hours, ads and levels; a late purchase
never moves an earlier one to another part; and whoever clicked is among those who saw.

Reads   `breakdowns`, a world's seed, an account.
Gives   `Breakdown`: the labels of its parts and how counts are split.
Never   changes a total. Delivery in the sandbox knows no segments, so parts differ by luck only.
"""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.graph.errors import GraphError, bad_parameter

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PLACES = 1000
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
HOURLY_AUDIENCE = "hourly_stats_aggregated_by_audience_time_zone"
HOURLIES = (HOURLY, HOURLY_AUDIENCE)
_JITTER = 0.25
_AD_STEP = 257
#: Of a thousand clicks: landed on the page, followed the link only, reacted, liked the page, else.
_CLICKS = (0.70, 0.14, 0.08, 0.03, 0.05)
LANDED, LINKED, REACTED, LIKED = range(4)

_AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
_AGE_WEIGHTS = (0.12, 0.29, 0.25, 0.17, 0.11, 0.06)
_GENDERS = (("female", 0.55), ("male", 0.42), ("unknown", 0.03))
_PLACEMENTS = (
    ("facebook", "feed", "mobile_app", "android_smartphone", 0.22),
    ("facebook", "feed", "mobile_app", "iphone", 0.13),
    ("facebook", "feed", "desktop", "desktop", 0.09),
    ("facebook", "facebook_reels", "mobile_app", "android_smartphone", 0.05),
    ("facebook", "marketplace", "mobile_web", "android_smartphone", 0.04),
    ("instagram", "feed", "mobile_app", "iphone", 0.14),
    ("instagram", "feed", "mobile_app", "android_smartphone", 0.07),
    ("instagram", "instagram_stories", "mobile_app", "iphone", 0.09),
    ("instagram", "instagram_reels", "mobile_app", "iphone", 0.06),
    ("instagram", "instagram_reels", "mobile_app", "android_smartphone", 0.04),
    ("audience_network", "an_classic", "mobile_app", "android_smartphone", 0.05),
    ("messenger", "messenger_inbox", "mobile_app", "ipad", 0.02),
)
_COUNTRIES = {
    "USD": (("US", 0.92), ("CA", 0.08)),
    "EUR": (("DE", 0.7), ("AT", 0.18), ("CH", 0.12)),
    "JPY": (("JP", 1.0),),
    "GBP": (("GB", 0.9), ("IE", 0.1)),
}
_ELSEWHERE = (("US", 1.0),)
_FAMILIES = (
    ("age", "gender"),
    ("publisher_platform", "platform_position", "device_platform", "impression_device"),
    ("country",),
)
DELIVERED = (*HOURLIES, *(name for family in _FAMILIES for name in family))


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`labels` has the values of `names` for each part; `share` its part of the audience."""

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    share: Floats
    row: Ints

    def split(self, counts: Ints, places: Ints) -> Ints:
        """Return counts of shape (hours, ads) as (hours, parts, ads)."""
        return _split(counts, places, row=self.row, parts=len(self.labels))

    def split_clicks(self, clicks: Ints, places: Ints) -> Ints:
        """Return clicks as (kinds of engagement, hours, parts, ads)."""
        kinds, parts = len(_CLICKS), len(self.labels)
        joint = self.row * kinds + _click_row()
        split = _split(clicks, places, row=joint, parts=parts * kinds)
        hours, ads = clicks.shape
        return np.moveaxis(split.reshape(hours, parts, kinds, ads), 2, 0)


#: Nothing is broken down: one part without a label.
WHOLE = Breakdown((), ((),), np.ones(1), np.zeros(PLACES, dtype=np.int64))


def breakdown_of(names: tuple[str, ...], *, seed: int, account: int, currency: str) -> Breakdown:
    """Return the breakdown by these names, hours of the day left out."""
    for n, name in enumerate(names):
        if name not in DELIVERED:
            raise bad_parameter(
                f"breakdowns[{n}] must be one of the following values: {', '.join(DELIVERED)}"
            )
    people = tuple(name for name in names if name not in HOURLIES)
    family = next((one for one in _FAMILIES if set(names) <= set(one)), None)
    if people and (family is None or len(people) < len(names)):
        raise invalid_combination(names)
    if len(names) - len(people) > 1:
        raise invalid_combination(names)
    if not people or family is None:
        return WHOLE
    return _breakdown(people, family, seed=seed, account=account, currency=currency)


def invalid_combination(names: tuple[str, ...]) -> GraphError:
    """Return the error for breakdowns that do not go together; permanent although its code is 2."""
    return GraphError(
        "Current combination of data breakdown columns "
        f"({', '.join(('action_type', *names))}) is invalid",
        code=2,
        subcode=1504041,
        title="Invalid breakdowns",
    )


def first_places(clicks_before: Ints, ads: Ints) -> Ints:
    """Return where in the row each ad is after so many clicks, of shape (hours, ads)."""
    return (clicks_before + ads[None, :] * _AD_STEP) % PLACES


@functools.lru_cache(maxsize=64)
def _breakdown(
    names: tuple[str, ...], family: tuple[str, ...], *, seed: int, account: int, currency: str
) -> Breakdown:
    table = _parts(family, currency)
    key = zlib.crc32(",".join(family).encode())
    draws = np.random.Generator(np.random.Philox(key=[seed & ((1 << 64) - 1), key + account]))
    weights = np.array([weight for _, weight in table])
    weights *= np.exp(_JITTER * draws.standard_normal(len(weights)))
    row = _shuffled(weights / weights.sum(), draws)
    places = [family.index(name) for name in names]
    seen = [tuple(label[place] for place in places) for label, _ in table]
    labels = tuple(dict.fromkeys(seen))
    index = np.array([labels.index(one) for one in seen], dtype=np.int64)
    merged = index[row]
    share = np.bincount(merged, minlength=len(labels)) / PLACES
    return Breakdown(names, labels, share, merged)


def _parts(family: tuple[str, ...], currency: str) -> list[tuple[tuple[str, ...], float]]:
    match family[0]:
        case "age":
            return [
                ((age, gender), much * part)
                for age, much in zip(_AGES, _AGE_WEIGHTS, strict=True)
                for gender, part in _GENDERS
            ]
        case "country":
            return [((name,), part) for name, part in _COUNTRIES.get(currency, _ELSEWHERE)]
        case _:
            return [(tuple(labels), weight) for *labels, weight in _PLACEMENTS]


def _shuffled(shares: Floats, draws: np.random.Generator) -> Ints:
    """Return the row: each part in as many places as its share, in a random order."""
    ends = np.round(np.cumsum(shares) * PLACES).astype(np.int64)
    row = np.searchsorted(ends, np.arange(PLACES), side="right")
    return draws.permutation(np.minimum(row, len(shares) - 1))


@functools.cache
def _click_row() -> Ints:
    """Return what kind of engagement the click at each place is; the same in every world."""
    return _shuffled(np.array(_CLICKS), np.random.Generator(np.random.Philox(key=[1, 5])))


def click_kinds(clicks: Ints, places: Ints) -> Ints:
    """Return clicks of shape (hours, ads) as (kinds of engagement, hours, ads)."""
    split = _split(clicks, places, row=_click_row(), parts=len(_CLICKS))
    return np.moveaxis(split, 1, 0)


def _split(counts: Ints, places: Ints, *, row: Ints, parts: int) -> Ints:
    """Return (hours, parts, ads): how many of `counts` places from `places` on are of each part."""
    # Two rounds of the row are enough for all but money; they spare a division for each number.
    rounds = 2 if counts.size == 0 or int(counts.max()) <= PLACES else 1
    table = _tables(row.tobytes(), parts, rounds)
    ends, more = places + counts, None
    if rounds == 1:
        more, ends = np.divmod(ends, PLACES)
    split = np.empty((counts.shape[0], parts, counts.shape[1]), dtype=np.int64)
    for part in range(parts):
        own = table[part]
        split[:, part] = own.take(ends) - own.take(places)
        if more is not None:
            split[:, part] += more * own[PLACES]
    return split


@functools.lru_cache(maxsize=64)
def _tables(row: bytes, parts: int, rounds: int) -> Ints:
    """Return for each part how many of the first k places are its own."""
    places = np.tile(np.frombuffer(row, dtype=np.int64), rounds)
    table = np.zeros((parts, len(places) + 1), dtype=np.int64)
    np.cumsum(places[None, :] == np.arange(parts)[:, None], axis=1, out=table[:, 1:])
    return table
