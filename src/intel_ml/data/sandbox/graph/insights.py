"""Insights: which rows a question asks for, and their numbers.

Reads   a scope (account, campaign, ad set, ad) and the question's parameters.
Gives   rows entity by entity, day by day.
Never   adds up reach: people who saw two ads are counted once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.days import DayWindow, account_day, day_start, time_zone
from intel_ml.core.ids import EntityType
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.changes import HIDDEN, effective_status
from intel_ml.data.sandbox.graph.audience import people_reached
from intel_ml.data.sandbox.graph.days import asked_window, split_window
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.listing import Filter, bounds, page, parse_filters
from intel_ml.data.sandbox.graph.rows import RENDERS, RowFacts, render_row
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.population import Population
from intel_ml.data.sandbox.world import World

_HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
_DEFAULT_FIELDS = "account_id,impressions,spend"
_LEVELS = ("account", "campaign", "adset", "ad")
_HOUR = timedelta(hours=1)
PARAMETERS = frozenset(
    {
        "action_attribution_windows",
        "action_breakdowns",
        "action_report_time",
        "breakdowns",
        "date_preset",
        "default_summary",
        "fields",
        "filtering",
        "level",
        "limit",
        "after",
        "before",
        "sort",
        "summary",
        "time_increment",
        "time_range",
        "use_account_attribution_setting",
        "use_unified_attribution_setting",
    }
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose insights: the level and row of the object asked, and its account."""

    level: str
    row: int
    account: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One window of a row: its days, its hours, and the hour of the day if asked for."""

    days: DayWindow
    hours: tuple[int, int]
    hour: str | None = None


def insights(world: World, scope: Scope, *, params: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the page of rows that the parameters ask for."""
    level = params.get("level", scope.level)
    if level not in _LEVELS:
        raise bad_parameter(f"level must be one of the following values: {', '.join(_LEVELS)}")
    asked = tuple(
        name for name, _ in parse_fields(params.get("fields", _DEFAULT_FIELDS), "insights")
    )
    question = _Question(world, scope, level=level, params=params)
    places = question.places()
    first, end = bounds(params, total=len(places))
    rows = [question.row(place, asked) for place in places[first:end]]
    return page(rows, params=params, url=url, span=(first, end, len(places)))


class _Question:
    """The numbers behind one question: arrays of shape (columns, windows, groups)."""

    def __init__(
        self, world: World, scope: Scope, *, level: str, params: Mapping[str, str]
    ) -> None:
        self.world, self.level, self.params = world, level, params
        self.account = world.population.accounts[scope.account]
        self.offset = currency_offset(self.account.currency)
        self.windows = _attribution(params)
        self.filters = parse_filters(params.get("filtering"))
        ads = ads_of(world.population, scope)
        self.groups, where = group(world.population, level=level, ads=ads)
        self.pieces = self._pieces()
        sums = world.ledger.windows([piece.hours for piece in self.pieces], ads=ads)
        self.sums = _grouped(sums, where, len(self.groups))
        self.reach = people_reached(world, level=level, ads=ads, sums=sums)

    def places(self) -> list[tuple[int, int]]:
        """Return (group, window) of every row that has something to say."""
        alive = (self.sums[Column.IMPRESSIONS] > 0) | (self.sums[Column.CONVERSIONS] > 0)
        for column in (Column.SPEND,):
            alive |= self.sums[column] > 0
        shown = np.array([self._is_shown(row) for row in self.groups], dtype=bool)
        found = np.argwhere((alive & shown[None, :]).T)
        places = [(int(g), int(w)) for g, w in found]
        metrics = [one for one in self.filters if self._metric(one)]
        return [place for place in places if all(self._passes(one, place) for one in metrics)]

    def row(self, place: tuple[int, int], asked: tuple[str, ...]) -> dict[str, Any]:
        """Return one row as JSON."""
        g, w = place
        piece = self.pieces[w]
        row = render_row(self._facts(g, w), asked)
        row["date_start"] = piece.days.first.isoformat()
        row["date_stop"] = piece.days.last.isoformat()
        if piece.hour and self.sums[Column.IMPRESSIONS, w, g]:
            row[_HOURLY] = piece.hour
        return row

    def _facts(self, g: int, w: int) -> RowFacts:
        impressions, clicks, spend, conversions, value = self.sums[:5, w, g].tolist()
        return RowFacts(
            names=self._names(g),
            impressions=impressions,
            clicks=clicks,
            spend=spend / self.offset,
            conversions=conversions,
            value=value / self.offset,
            reach=0 if self.pieces[w].hour else int(self.reach[w, g]),
            digits=0 if self.offset == 1 else 2,
            windows=self.windows,
            hour=self.pieces[w].hour,
        )

    def _names(self, g: int) -> dict[str, str]:
        population, row = self.world.population, self.groups[g]
        names = {
            "account_id": self.account.id,
            "account_name": self.account.name,
            "account_currency": self.account.currency,
        }
        if self.level == "ad":
            ad = population.ads[row]
            names["ad_id"], names["ad_name"] = ad.id, ad.name
            row = ad.parent
        if self.level in ("ad", "adset"):
            adset = population.adsets[row]
            names["adset_id"], names["adset_name"] = adset.id, adset.name
            row = adset.parent
        if self.level != "account":
            campaign = population.campaigns[row]
            names["campaign_id"], names["campaign_name"] = campaign.id, campaign.name
        return names

    def _pieces(self) -> list[_Piece]:
        zone, world = self.account.time_zone, self.world
        today = account_day(world.now, zone)
        first = account_day(world.start, zone)
        asked = asked_window(self.params, today=today)
        increment = self.params.get("time_increment")
        windows = split_window(asked, increment, first=first, end=today + timedelta(days=1))
        breakdowns = self.params.get("breakdowns", "").strip('[]"')
        if not breakdowns:
            return [_Piece(days, hours_of(world, days, zone)) for days in windows]
        if breakdowns != _HOURLY:
            raise bad_parameter(f"breakdowns: only {_HOURLY} is delivered by this sandbox")
        return [piece for days in windows for piece in _hourly(world, days, zone)]

    def _is_shown(self, row: int) -> bool:
        if self.level == "account":
            return True
        population = self.world.population
        node = population.nodes(EntityType(self.level))[row]
        status = effective_status(population, node)
        asked = [one for one in self.filters if one.field.endswith("effective_status")]
        if not asked and status in HIDDEN:
            return False
        values = {"id": node.id, "name": node.name, "effective_status": status}
        return all(
            one.holds(values[key])
            for one in self.filters
            if (key := one.field.removeprefix(f"{self.level}.")) in values
        )

    def _metric(self, one: Filter) -> bool:
        key = one.field.rpartition(".")[2]
        if key in RENDERS:
            return True
        if key in {"id", "name", "effective_status"}:
            return False
        raise bad_parameter(f"filtering: field {one.field} is not supported")

    def _passes(self, one: Filter, place: tuple[int, int]) -> bool:
        key = one.field.rpartition(".")[2]
        seen = RENDERS[key](self._facts(*place))
        return one.holds(seen or 0)


def ads_of(population: Population, scope: Scope) -> NDArray[np.int64]:
    """Return the rows of the ads inside a scope."""
    adset = population.ad_traits.adset
    match scope.level:
        case "ad":
            return np.array([scope.row], dtype=np.int64)
        case "adset":
            inside = adset == scope.row
        case "campaign":
            inside = population.adset_traits.campaign[adset] == scope.row
        case _:
            inside = population.adset_traits.account[adset] == scope.row
    return np.flatnonzero(inside)


def group(
    population: Population, *, level: str, ads: NDArray[np.int64]
) -> tuple[list[int], NDArray[np.int64]]:
    """Return (rows of the level's entities, for each ad the place of its entity among them)."""
    adset = population.ad_traits.adset[ads]
    keys = {
        "ad": ads,
        "adset": adset,
        "campaign": population.adset_traits.campaign[adset],
        "account": population.adset_traits.account[adset],
    }[level]
    rows, where = np.unique(keys, return_inverse=True)
    return rows.tolist(), where


def hours_of(world: World, days: DayWindow, zone: str) -> tuple[int, int]:
    """Return the half-open hours of a world that begin inside these account days."""
    return _first_hour(world, days.first, zone), _first_hour(world, days.end, zone)


def _first_hour(world: World, day: date, zone: str) -> int:
    return -((world.start - day_start(day, zone)) // _HOUR)


def _hourly(world: World, days: DayWindow, zone: str) -> Iterator[_Piece]:
    for hour in range(24):
        label = f"{hour:02d}:00:00 - {hour:02d}:59:59"
        for day in days if len(days) == 1 else ():
            first, end = hours_of(world, DayWindow(day, day + timedelta(days=1)), zone)
            inside = [
                h
                for h in range(max(first, 0), min(end, world.hour))
                if _local_hour(world, h, zone) == hour
            ]
            if inside:
                yield _Piece(days, (inside[0], inside[-1] + 1), label)
    if len(days) != 1:
        raise bad_parameter(
            "the hourly breakdown needs time_increment=1 or a single day in this sandbox"
        )


def _local_hour(world: World, hour: int, zone: str) -> int:
    return (world.start + hour * _HOUR).astimezone(time_zone(zone)).hour


def _grouped(sums: NDArray[np.int64], where: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    if groups == sums.shape[2]:
        return sums
    total = np.zeros((*sums.shape[:2], groups), dtype=np.int64)
    for g in range(groups):
        total[:, :, g] = sums[:, :, where == g].sum(axis=2)
    return total


def _attribution(params: Mapping[str, str]) -> tuple[str, ...]:
    text = params.get("action_attribution_windows")
    if not text or text == "default":
        return ()
    try:
        raw = json.loads(text)
    except ValueError:
        raw = text.split(",")
    if not isinstance(raw, list):
        raise bad_parameter("action_attribution_windows must be an array")
    return tuple(str(window) for window in raw if window != "default")
