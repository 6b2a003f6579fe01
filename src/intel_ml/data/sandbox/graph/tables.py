"""The numbers behind one insights question: cells by entity.

A cell is one part (of a breakdown) of one window; a place is one entity in one cell.

Reads   a world, a scope, what is asked.
Gives   the places that have something to say, and the facts of each.
Never   renders JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.days import account_day
from intel_ml.core.ids import EntityType
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.graph.actions import Engagement, style_of
from intel_ml.data.sandbox.graph.asking import Asking
from intel_ml.data.sandbox.graph.audience import people_reached
from intel_ml.data.sandbox.graph.breakdowns import breakdown_of
from intel_ml.data.sandbox.graph.days import months_before
from intel_ml.data.sandbox.graph.narrowing import ancestors
from intel_ml.data.sandbox.graph.rows import RowFacts, number_of
from intel_ml.data.sandbox.graph.sums import Count, cell_sums, grouped
from intel_ml.data.sandbox.graph.windows import Piece, days_of, pieces_of
from intel_ml.data.sandbox.population import Population
from intel_ml.data.sandbox.world import World

Ints = NDArray[np.int64]
Place = tuple[int, int]
_REACH_MONTHS = 13
_ATTRIBUTION = "7d_click_or_1d_view"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose insights: the level and row of the object asked, and its account."""

    level: str
    row: int
    account: int


class Table:
    """Arrays of shape (counts, cells, groups) for one question."""

    def __init__(
        self,
        world: World,
        scope: Scope,
        asked: Asking,
        *,
        params: Mapping[str, str],
        with_old_reach: bool = False,
    ) -> None:
        self.world, self.asked, self.scope = world, asked, scope
        self.account = account = world.population.accounts[scope.account]
        self.breakdown = breakdown_of(
            asked.breakdowns, seed=world.seed, account=scope.account, currency=account.currency
        )
        self.style = style_of(params, digits=0 if currency_offset(account.currency) == 1 else 2)
        self.days = days_of(world, params, zone=account.time_zone)
        self.pieces = pieces_of(world, params, zone=account.time_zone, is_hourly=asked.hourly)
        self.ads = asked.narrowing.ads(world.population, ads_of(world.population, scope))
        rows, where = np.unique(
            ancestors(world.population, self.ads, asked.level), return_inverse=True
        )
        self.groups: list[int] = rows.tolist()
        self.by_ad = cell_sums(world, self.pieces, ads=self.ads, breakdown=self.breakdown)
        self.sums = grouped(self.by_ad, where, groups=len(self.groups))
        self.reach = self._people(asked.level, self.by_ad)
        self.drops_reach = self._is_old() and bool(self.breakdown.names)
        self.has_reach = with_old_reach or not self.drops_reach
        self.peers = self._peers() if asked.needs_peers else None
        self.is_hourly = bool(asked.hourly)
        self.parts = len(self.breakdown.labels)
        # Made once: a month by ads has thousands of rows, and only so many days.
        self._dates = [
            (piece.days.first.isoformat(), piece.days.last.isoformat()) for piece in self.pieces
        ]
        self._counts = self.sums.transpose(2, 1, 0).tolist()
        self._names: dict[int, dict[str, str]] = {}

    def places(self) -> list[Place]:
        """Return (group, cell) of every row that has something to say."""
        alive = (self.sums[[Count.IMPRESSIONS, Count.SPEND, Count.CONVERSIONS]] > 0).any(axis=0)
        shows, population = self.asked.narrowing.shows, self.world.population
        shown = np.array([shows(population, self.asked.level, row) for row in self.groups], bool)
        places = [(int(g), int(v)) for g, v in np.argwhere((alive & shown[None, :]).T)]
        for one in self.asked.narrowing.metrics:
            key = one.field.rpartition(".")[2]
            places = [at for at in places if one.holds(number_of(self.facts(at), key))]
        return places

    def piece(self, place: Place) -> Piece:
        """Return the window of a place."""
        return self.pieces[place[1] // self.parts]

    def dates(self, place: Place) -> tuple[str, str]:
        """Return the first and the last day of a place as Meta writes them."""
        return self._dates[place[1] // self.parts]

    def labels(self, place: Place) -> dict[str, str]:
        """Return the breakdown keys of a place; where nothing was shown there is no hour."""
        g, v = place
        part = self.breakdown.labels[v % self.parts]
        labels = dict(zip(self.breakdown.names, part, strict=True))
        hour = self.piece(place).hour
        if hour and self.sums[Count.IMPRESSIONS, v, g]:
            labels |= dict.fromkeys(self.asked.hourly, hour)
        return labels

    def facts(self, place: Place) -> RowFacts:
        """Return the counts and names of a place."""
        g, v = place
        reach = 0 if self.is_hourly else int(self.reach[v, g])
        peers = None if self.peers is None else self.peers[v]
        return self._facts(self._counts[g][v], self.names(g), reach=reach, peers=peers)

    def total(self, places: Sequence[Place]) -> RowFacts:
        """Return all places as one: counts are added up, people are counted once."""
        cells = [v for _, v in places]
        counts = self.sums[:, cells, [g for g, _ in places]].sum(axis=1)
        own = {"account_id": self.account.id, "account_currency": self.account.currency}
        reach = 0
        if places and not self.is_hourly:
            together = self.by_ad[:, sorted(set(cells))].sum(axis=1, keepdims=True)
            reach = int(self._people("account", together, is_whole=True)[0, 0])
        return self._facts(counts.tolist(), own, reach=min(reach, int(counts[Count.IMPRESSIONS])))

    def names(self, g: int) -> dict[str, str]:
        """Return ids, names and settings of a group."""
        found = self._names.get(g)
        if found is None:
            found = self._names[g] = self._names_of(self.groups[g])
        return found

    def _facts(
        self,
        counts: list[int],
        names: dict[str, str],
        *,
        reach: int,
        peers: tuple[int, int, int] | None = None,
    ) -> RowFacts:
        impressions, clicks, spend, purchases, value, landed, linked, reacted, liked = counts
        return RowFacts(
            names=names,
            impressions=impressions,
            clicks=clicks,
            spend=spend,
            value=value,
            reach=reach,
            did=Engagement(landed + linked, landed, reacted, liked, purchases),
            style=self.style,
            has_reach=self.has_reach,
            is_hourly=self.is_hourly,
            peers=peers,
        )

    def _people(self, level: str, by_ad: Ints, *, is_whole: bool = False) -> Ints:
        share = None if is_whole else np.tile(self.breakdown.share, len(self.pieces))
        return people_reached(self.world, level=level, ads=self.ads, sums=by_ad, share=share)

    def _is_old(self) -> bool:
        today = account_day(self.world.now, self.account.time_zone)
        return self.days.first < months_before(today, _REACH_MONTHS)

    def _peers(self) -> list[tuple[int, int, int]]:
        """Return (impressions, clicks, purchases) of the whole account for each cell."""
        everyone = Scope("account", self.scope.account, self.scope.account)
        ads = ads_of(self.world.population, everyone)
        sums = cell_sums(self.world, self.pieces, ads=ads, breakdown=self.breakdown).sum(axis=2)
        columns = [Count.IMPRESSIONS, Count.CLICKS, Count.CONVERSIONS]
        return [(int(i), int(c), int(p)) for i, c, p in sums[columns].T]

    def _names_of(self, row: int) -> dict[str, str]:
        population, level = self.world.population, self.asked.level
        names: dict[str, Any] = {
            "account_id": self.account.id,
            "account_name": self.account.name,
            "account_currency": self.account.currency,
        }
        if level == "account":
            return names
        node = population.nodes(EntityType(level))[row]
        names["created_time"] = account_day(node.created, self.account.time_zone).isoformat()
        names["updated_time"] = account_day(node.updated, self.account.time_zone).isoformat()
        if level == "ad":
            names["ad_id"], names["ad_name"] = node.id, node.name
            node = population.adsets[node.parent]
        if level != "campaign":
            names["adset_id"], names["adset_name"] = node.id, node.name
            names["optimization_goal"] = "OFFSITE_CONVERSIONS"
            names["attribution_setting"] = _ATTRIBUTION
            node = population.campaigns[node.parent]
        names["campaign_id"], names["campaign_name"] = node.id, node.name
        names["objective"], names["buying_type"] = node.objective, "AUCTION"
        return names


def ads_of(population: Population, scope: Scope) -> Ints:
    """Return the rows of the ads inside a scope."""
    if scope.level == "ad":
        return np.array([scope.row], dtype=np.int64)
    every = np.arange(len(population.ads), dtype=np.int64)
    return np.flatnonzero(ancestors(population, every, scope.level) == scope.row)
