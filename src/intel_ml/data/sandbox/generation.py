"""Many accounts from a few lines: the `[[generate]]` sections of a world file.

    account n        a market drawn by weight; its campaigns, ad sets and ads by count
    ad set's budget  target cost per result * uniform in `budget_per_target`, in whole major units
    kind             drawn by weight

Reads   a `Generate` and the seed of the world file.
Gives   accounts as if they had been written out one by one.
Never   depends on the seed a world is played with: the accounts are part of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from intel_ml.data.sandbox.accountfile import (
    AccountFile,
    AdSetFile,
    CampaignFile,
    Generate,
    MarketFile,
)
from intel_ml.data.sandbox.randomness import Purpose, stream


def generated_accounts(sections: Sequence[Generate], *, seed: int) -> Iterator[AccountFile]:
    """Yield the accounts of all sections, in order; the same seed gives the same ones."""
    for number, section in enumerate(sections):
        # The purpose has one stream an "hour"; a section more leaves the ones before it alone.
        draws = stream(seed, hour=number, purpose=Purpose.GENERATION)
        yield from _Builder(section, draws).accounts()


class _Builder:
    """Draws one section's accounts, one after the other."""

    def __init__(self, section: Generate, draws: np.random.Generator) -> None:
        self.section, self.draws = section, draws
        self.markets = _cumulative([one.weight for one in section.markets])
        self.kinds = list(section.kinds)
        self.kind_bounds = _cumulative(list(section.kinds.values()))

    def accounts(self) -> Iterator[AccountFile]:
        """Yield the section's accounts."""
        section = self.section
        for n in range(section.accounts):
            market = section.markets[self._pick(self.markets)]
            yield AccountFile(
                id=str(section.first_id + n),
                name=section.name.replace("{n}", str(n + 1)),
                currency=market.currency,
                time_zone=market.time_zone,
                target_cpa=market.target_cpa,
                target_roas=market.target_roas,
                cpm=market.cpm,
                order_value=market.order_value,
                margin=market.margin,
                match_quality=round(self._within(section.match_quality), 1),
                min_daily_budget=market.min_daily_budget,
                campaigns=tuple(self._campaign(market, c) for c in range(section.campaigns)),
            )

    def _campaign(self, market: MarketFile, number: int) -> CampaignFile:
        section = self.section
        holds_budget = self.draws.random() < section.campaign_budget_share
        adsets = tuple(
            self._adset(market, number, n, has_budget=not holds_budget)
            for n in range(section.adsets)
        )
        budget = sum(self._budget(market) for _ in adsets) if holds_budget else None
        return CampaignFile(
            name=f"Campaign {number + 1}",
            adsets=adsets,
            budget=budget,
            status=self._status({"PAUSED": section.paused_share}),
        )

    def _adset(self, market: MarketFile, campaign: int, n: int, *, has_budget: bool) -> AdSetFile:
        section = self.section
        kind = self.kinds[self._pick(self.kind_bounds)]
        names = tuple(f"Ad {a + 1}" for a in range(section.ads))
        luck = self.draws.random((2, len(names)))
        bids = self.draws.random() < section.bid_share
        return AdSetFile(
            name=f"Ad set {campaign + 1}.{n + 1} {kind}",
            kind=kind,
            ads=names,
            budget=self._budget(market) if has_budget else None,
            bid=round(market.target_cpa * self._within(section.bid_per_target)) if bids else None,
            status=self._status(
                {"ARCHIVED": section.archived_share, "PAUSED": section.paused_share}
            ),
            rejected_ads=_named(names, luck[0] < section.rejected_share),
            paused_ads=_named(names, luck[1] < section.paused_share),
        )

    def _budget(self, market: MarketFile) -> float:
        amount = round(market.target_cpa * self._within(self.section.budget_per_target))
        return float(max(amount, market.min_daily_budget))

    def _status(self, shares: Mapping[str, float]) -> str:
        luck, low = self.draws.random(), 0.0
        for status, share in shares.items():
            if low <= luck < low + share:
                return status
            low += share
        return "ACTIVE"

    def _within(self, limits: tuple[float, float]) -> float:
        low, high = limits
        return float(low + (high - low) * self.draws.random())

    def _pick(self, bounds: Sequence[float]) -> int:
        luck = self.draws.random() * bounds[-1]
        return next(n for n, bound in enumerate(bounds) if luck < bound)


def _cumulative(weights: Sequence[float]) -> list[float]:
    return [float(one) for one in np.cumsum(weights)]


def _named(names: Sequence[str], chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen)
