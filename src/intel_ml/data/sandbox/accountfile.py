"""The parts of a world file that say which accounts there are, written out or generated.

Reads   nothing: these are values.
Gives   accounts, campaigns, ad sets and kinds, as they stand in a world file.
Never   holds a trait that was drawn: that is `population`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intel_ml.data.sandbox.mechanisms.bidding import BID_CAP

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of ad set: ranges from which each draws its own traits."""

    cpa_ratio: Range
    ctr_percent: Range = (0.9, 1.8)
    cpm_ratio: Range = (0.85, 1.15)
    eta: Range = (0.1, 0.3)
    audience: Range = (60_000.0, 400_000.0)
    fatigue: Range = (0.02, 0.05)
    exposure: Range = (0.0, 0.5)
    utilisation: Range = (0.92, 1.0)
    days_old: Range = (20.0, 120.0)


@dataclass(frozen=True, slots=True)
class AdSetFile:
    """One ad set; `budget` in major units a day, absent where the campaign holds the budget.

    `bid` is what a result may cost in major units: at most each (a bid cap), or on average.
    """

    name: str
    kind: str
    ads: tuple[str, ...]
    budget: float | None = None
    lifetime: bool = False
    bid: float | None = None
    bid_strategy: str = BID_CAP
    status: str = "ACTIVE"
    days_old: int | None = None
    rejected_ads: tuple[str, ...] = ()
    paused_ads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """One campaign; with a `budget` of its own, its ad sets have none."""

    name: str
    adsets: tuple[AdSetFile, ...]
    objective: str = "OUTCOME_SALES"
    budget: float | None = None
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class AccountFile:
    """One ad account: its money, days and targets, and its market's prices in major units.

    `margin` is what is left of an order's value before advertising: a sale pays from 1 / margin on.
    """

    id: str
    name: str
    currency: str
    time_zone: str
    target_cpa: float
    target_roas: float
    cpm: float
    order_value: float
    campaigns: tuple[CampaignFile, ...]
    margin: float = 0.55
    match_quality: float = 6.5
    min_daily_budget: float = 1.0


@dataclass(frozen=True, slots=True)
class MarketFile:
    """Where generated accounts are: currency, time zone, prices in major units, and how many."""

    currency: str
    time_zone: str
    target_cpa: float
    target_roas: float
    cpm: float
    order_value: float
    margin: float = 0.55
    min_daily_budget: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Generate:
    """Many accounts alike: counts, weights of kinds and markets, and shares of the unusual."""

    accounts: int
    markets: tuple[MarketFile, ...]
    kinds: Mapping[str, float]
    first_id: int = 100_001
    name: str = "Account {n}"
    campaigns: int = 3
    adsets: int = 4
    ads: int = 3
    budget_per_target: Range = (2.0, 8.0)
    match_quality: Range = (5.0, 8.0)
    campaign_budget_share: float = 0.2
    bid_share: float = 0.0
    bid_per_target: Range = (0.8, 2.0)
    paused_share: float = 0.05
    archived_share: float = 0.02
    rejected_share: float = 0.02
