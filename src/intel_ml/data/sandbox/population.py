"""The campaigns, ad sets and ads of a world, with the traits nobody outside can see.

Reads   a `WorldFile` and a seed.
Gives   a `Population`: nodes as people see them, and their true traits as columns.
Never   changes once delivery begins, but for copies that are appended.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.accountfile import AccountFile, AdSetFile, CampaignFile, Range
from intel_ml.data.sandbox.periods import BudgetPeriod
from intel_ml.data.sandbox.randomness import Purpose, stream
from intel_ml.data.sandbox.worldfile import WorldFile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FIRST_CAMPAIGN, _FIRST_ADSET, _FIRST_AD = 12021, 12022, 12023
_MILLE = 1000
_PERCENT = 100
_AD_SPREAD = 0.18
_LIFETIME_DAYS = 45


@dataclass(slots=True)
class Node:
    """A campaign, ad set or ad as its owner sees it; `parent` is a row of the level above.

    `settings` holds what else was set, by Meta's names; it and `budget_changes` are replaced and
    never written to, so that clones can share them.
    """

    id: str
    level: EntityType
    account: int
    parent: int
    name: str
    created: datetime
    updated: datetime
    status: str = "ACTIVE"
    review: str = "APPROVED"
    objective: str = ""
    daily_budget_minor: int | None = None
    lifetime_budget_minor: int | None = None
    bid_amount_minor: int | None = None
    begin: datetime | None = None
    end: datetime | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    periods: tuple[BudgetPeriod, ...] = ()
    source_id: str | None = None
    budget_changes: list[datetime] = field(default_factory=list)
    paused_at: datetime | None = None
    paused_by: str | None = None

    def clone(self) -> Node:
        """Return a copy that shares nothing that is written to."""
        return Node(*_VALUES(self))


_VALUES = attrgetter(*(one.name for one in fields(Node)))


@dataclass(slots=True)
class AdSetTraits:
    """Columns over ad sets; money in minor units."""

    account: Ints
    campaign: Ints
    cpm: Floats
    rate: Floats
    order_value: Floats
    eta: Floats
    audience: Floats
    utilisation: Floats
    reference: Floats
    kind: list[str]


@dataclass(slots=True)
class AdTraits:
    """Columns over ads: click-through ratio, conversion factor, wear rate, first exposure."""

    adset: Ints
    ctr: Floats
    rate: Floats
    fatigue: Floats
    exposure: Floats


@dataclass(slots=True)
class Population:
    """Everything a world is made of; `rows` finds a node by its id."""

    accounts: tuple[AccountFile, ...]
    campaigns: list[Node]
    adsets: list[Node]
    ads: list[Node]
    adset_traits: AdSetTraits
    ad_traits: AdTraits
    rows: dict[str, tuple[EntityType, int]]

    def nodes(self, level: EntityType) -> list[Node]:
        """Return the nodes of one level, in the order of their rows."""
        match level:
            case EntityType.CAMPAIGN:
                return self.campaigns
            case EntityType.ADSET:
                return self.adsets
            case EntityType.AD:
                return self.ads

    def find(self, identifier: str) -> Node | None:
        """Return the node with this id, None if there is none."""
        found = self.rows.get(identifier)
        return self.nodes(found[0])[found[1]] if found else None

    def fork(self) -> Population:
        """Return a copy; traits are shared, because they are replaced and never written to."""
        return Population(
            accounts=self.accounts,
            campaigns=[node.clone() for node in self.campaigns],
            adsets=[node.clone() for node in self.adsets],
            ads=[node.clone() for node in self.ads],
            adset_traits=replace(self.adset_traits, kind=list(self.adset_traits.kind)),
            ad_traits=replace(self.ad_traits),
            rows=dict(self.rows),
        )

    def append_adset(self, node: Node, *, like: int) -> int:
        """Add an ad set with the traits of another; return its row."""
        _extend(self.adset_traits, like)
        self.adset_traits.campaign[-1] = node.parent
        self.adsets.append(node)
        self.rows[node.id] = (EntityType.ADSET, len(self.adsets) - 1)
        return len(self.adsets) - 1

    def append_ad(self, node: Node, *, like: int) -> int:
        """Add an ad with the traits of another, but fresh; return its row."""
        _extend(self.ad_traits, like)
        self.ad_traits.adset[-1] = node.parent
        self.ad_traits.exposure[-1] = 0.0
        self.ads.append(node)
        self.rows[node.id] = (EntityType.AD, len(self.ads) - 1)
        return len(self.ads) - 1


def populate(world: WorldFile, *, seed: int, start: datetime) -> Population:
    """Return the world's population; the same seed gives the same one."""
    return _Builder(world, seed, start).build()


def pixel_id(account: AccountFile) -> str:
    """Return the id of an account's pixel."""
    return f"90{account.id}000000001"


def minor(amount: float, account: AccountFile) -> int:
    """Return an amount of a world file in minor units."""
    return round(amount * currency_offset(account.currency))


def _extend(traits: AdSetTraits | AdTraits, like: int) -> None:
    for one in fields(traits):
        column = getattr(traits, one.name)
        if isinstance(column, list):
            column.append(column[like])
        else:
            setattr(traits, one.name, np.append(column, column[like]))


class _Builder:
    """Draws traits in the order of the world file."""

    def __init__(self, world: WorldFile, seed: int, start: datetime) -> None:
        self.world, self.start = world, start
        self.draws = stream(seed, hour=0, purpose=Purpose.POPULATION)
        self.campaigns: list[Node] = []
        self.adsets: list[Node] = []
        self.ads: list[Node] = []
        self.adset_rows: list[tuple[float, ...]] = []
        self.ad_rows: list[tuple[float, ...]] = []
        self.kinds: list[str] = []

    def build(self) -> Population:
        """Return everything, with the index of ids."""
        for row, account in enumerate(self.world.accounts):
            for campaign in account.campaigns:
                self._campaign(row, account, campaign)
        adset = np.array(self.adset_rows).T
        ad = np.array(self.ad_rows).T
        levels = (self.campaigns, self.adsets, self.ads)
        return Population(
            accounts=self.world.accounts,
            campaigns=self.campaigns,
            adsets=self.adsets,
            ads=self.ads,
            adset_traits=AdSetTraits(
                account=adset[0].astype(np.int64),
                campaign=adset[1].astype(np.int64),
                cpm=adset[2],
                rate=adset[3],
                order_value=adset[4],
                eta=adset[5],
                audience=adset[6],
                utilisation=adset[7],
                reference=adset[8],
                kind=self.kinds,
            ),
            ad_traits=AdTraits(ad[0].astype(np.int64), ad[1], ad[2], ad[3], ad[4]),
            rows={node.id: (node.level, n) for nodes in levels for n, node in enumerate(nodes)},
        )

    def _campaign(self, row: int, account: AccountFile, spec: CampaignFile) -> None:
        created = self.start - timedelta(days=120)
        node = Node(
            id=f"{_FIRST_CAMPAIGN}{account.id}{len(self.campaigns) + 1:06d}",
            level=EntityType.CAMPAIGN,
            account=row,
            parent=-1,
            name=spec.name,
            created=created,
            updated=created,
            status=spec.status,
            objective=spec.objective,
            daily_budget_minor=minor(spec.budget, account) if spec.budget else None,
        )
        self.campaigns.append(node)
        share = minor(spec.budget, account) / len(spec.adsets) if spec.budget else 0.0
        for adset in spec.adsets:
            self._adset(node, account, adset, share)

    def _adset(self, campaign: Node, account: AccountFile, spec: AdSetFile, share: float) -> None:
        kind = self.world.kinds[spec.kind]
        days_old = self._within(kind.days_old)
        created = self.start - timedelta(days=int(spec.days_old or days_old), hours=7)
        budget = minor(spec.budget, account) if spec.budget else None
        node = Node(
            id=f"{_FIRST_ADSET}{account.id}{len(self.adsets) + 1:06d}",
            level=EntityType.ADSET,
            account=campaign.account,
            parent=len(self.campaigns) - 1,
            name=spec.name,
            created=created,
            updated=created,
            status=spec.status,
            daily_budget_minor=None if spec.lifetime else budget,
            lifetime_budget_minor=budget * _LIFETIME_DAYS if budget and spec.lifetime else None,
            bid_amount_minor=minor(spec.bid, account) if spec.bid else None,
            end=self.start + timedelta(days=_LIFETIME_DAYS) if spec.lifetime else None,
            settings={"bid_strategy": spec.bid_strategy} if spec.bid else {},
        )
        self.adsets.append(node)
        cpm = minor(account.cpm, account) * self._within(kind.cpm_ratio)
        ctr = self._within(kind.ctr_percent) / _PERCENT
        target = minor(account.target_cpa, account) * self.world.goods
        rate = cpm / (_MILLE * ctr) / (self._within(kind.cpa_ratio) * target)
        traits = (
            self._within(kind.eta),
            self._within(kind.audience),
            self._within(kind.utilisation),
        )
        value = minor(account.order_value, account) * self.world.goods
        self.kinds.append(spec.kind)
        self.adset_rows.append(
            (
                campaign.account,
                node.parent,
                cpm,
                min(rate, 0.9),
                value,
                *traits,
                float(budget or share),
            )
        )
        for name in spec.ads:
            self._ad(
                node, spec, name, (ctr, self._within(kind.fatigue), self._within(kind.exposure))
            )

    def _ad(
        self, adset: Node, spec: AdSetFile, name: str, traits: tuple[float, float, float]
    ) -> None:
        account = self.world.accounts[adset.account]
        self.ads.append(
            Node(
                id=f"{_FIRST_AD}{account.id}{len(self.ads) + 1:06d}",
                level=EntityType.AD,
                account=adset.account,
                parent=len(self.adsets) - 1,
                name=name,
                created=adset.created,
                updated=adset.created,
                status="PAUSED" if name in spec.paused_ads else "ACTIVE",
                review="DISAPPROVED" if name in spec.rejected_ads else "APPROVED",
            )
        )
        ctr, fatigue, exposure = traits
        luck = np.exp(_AD_SPREAD * self.draws.standard_normal(2) - _AD_SPREAD**2 / 2)
        self.ad_rows.append((adset_row(self.adsets), ctr * luck[0], luck[1], fatigue, exposure))

    def _within(self, limits: Range) -> float:
        low, high = limits
        return float(low + (high - low) * self.draws.random())


def adset_row(adsets: list[Node]) -> float:
    """Return the row of the ad set added last."""
    return float(len(adsets) - 1)
