"""One hour of delivery: budgets become impressions, clicks and purchases.

    spend  = pacing(budget left) split over the ads by (ctr * wear) ** 1.5, as far as bids and the
             audience let it
    impressions = 1000 spend / (cpm * auction * learning * noise * market * paid)
    clicks ~ Poisson(impressions * ctr * wear * noise)
    purchases ~ Poisson(k * intent * attributed), reported with delays

Reads   what may deliver and with which budget (`Controls`), and the draws of the hour.
Gives   the hour's counts, and its own state for the next hour.
Never   knows why a budget is what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.days import time_zone
from intel_ml.data.sandbox.ledger import Hour
from intel_ml.data.sandbox.levers import Controls
from intel_ml.data.sandbox.market import Market, Markets
from intel_ml.data.sandbox.motion import Motion
from intel_ml.data.sandbox.population import Population
from intel_ml.data.sandbox.randomness import Purpose, poisson, stream
from intel_ml.data.sandbox.worldfile import WorldFile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHARPNESS = 1.5
_MILLE = 1000.0
_VALUE_SPREAD = 0.35
_WEEK_HOURS = 168
_DAY_HOURS = 24
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class HourFacts:
    """The counts of an hour, the events of the pixels, and each account's hour of the day."""

    counts: Hour
    pixel_events: Ints
    local_hour: Ints


class Delivery:
    """The hour's arithmetic for one world."""

    def __init__(self, world: WorldFile, *, seed: int) -> None:
        self.world, self.seed = world, seed
        self.shares, self.ordinary = world.pacing.shares(), world.pacing.ordinary()
        self.zones = [time_zone(account.time_zone) for account in world.accounts]
        self.markets = Markets(world, seed=seed)
        self.match_quality = np.array([account.match_quality for account in world.accounts])

    def step(
        self,
        motion: Motion,
        population: Population,
        *,
        controls: Controls,
        moment: datetime,
        hour: int,
    ) -> HourFacts:
        """Play one hour; `motion` is moved on in place."""
        clock = _Clock(self.zones, moment)
        _new_days(motion, population, clock)
        ads, sets = len(population.ads), len(population.adsets)
        delays = len(self.world.lag.shares)
        normal = stream(self.seed, hour=hour, purpose=Purpose.AD_NORMAL).standard_normal((ads, 3))
        luck = stream(self.seed, hour=hour, purpose=Purpose.AD_UNIFORM).random((ads, delays + 1))
        spells = stream(self.seed, hour=hour, purpose=Purpose.ADSET_NORMAL).standard_normal(
            (sets, 2)
        )
        self._spells(motion, normal[:, 1], spells)
        market = self.markets.at(
            motion, account=population.adset_traits.account, day=clock.day, hour=hour
        )
        budget, planned = self._plan(motion, population, controls=controls, clock=clock, hour=hour)
        impressions, spend, ctr = self._auction(
            motion,
            population,
            planned=_Planned(budget, planned, market, controls),
            clock=clock,
            draw=normal[:, 0],
        )
        clicks = np.minimum(poisson(impressions * ctr, luck[:, 0]), impressions)
        outage_luck = stream(self.seed, hour=hour, purpose=Purpose.ACCOUNT_UNIFORM).random(
            len(self.zones)
        )
        motion.account_outage = self.world.pixel.outage_left(
            left=motion.account_outage, luck=outage_luck
        )
        rate = self._rates(motion, population, budget=budget, clock=clock, market=market)
        attributed = self.world.pixel.attributed(
            self.world.pixel.match_quality(self.match_quality, hour=hour)
        ) * (motion.account_outage == 0)
        reports = self._purchases(
            motion, population, clicks=clicks, rate=rate, draws=(attributed, luck[:, 1:])
        )
        value = self._order_value(population, normal[:, 2])
        self._learn(motion, population, reports=reports, hour=hour)
        counts = Hour(impressions, clicks, spend, reports, value)
        return self._facts(motion, population, counts=counts, clock=clock, hour=hour)

    def _spells(self, motion: Motion, ad: Floats, sets: Floats) -> None:
        noise = self.world.noise
        motion.ad_luck = noise.step(motion.ad_luck, ad)
        motion.adset_price_luck = noise.step(motion.adset_price_luck, sets[:, 0])
        motion.adset_result_luck = noise.step(motion.adset_result_luck, sets[:, 1])

    def _plan(
        self,
        motion: Motion,
        population: Population,
        *,
        controls: Controls,
        clock: _Clock,
        hour: int,
    ) -> tuple[Floats, Floats]:
        """Return (daily budget, plan of this hour) of each ad set."""
        traits = population.adset_traits
        sets = len(population.adsets)
        alive = (
            np.bincount(population.ad_traits.adset, weights=controls.delivering, minlength=sets) > 0
        )
        share = self.shares[clock.hour[traits.account]]
        days = np.maximum((controls.lifetime_end - hour) / _DAY_HOURS, 1 / _DAY_HOURS)
        left = controls.lifetime - (motion.adset_spent - motion.adset_spent_today)
        own = np.where(np.isnan(controls.adset_daily), left / days, controls.adset_daily)
        weight = np.where(alive, traits.reference * traits.rate, 0.0)
        total = np.bincount(traits.campaign, weights=weight, minlength=len(population.campaigns))
        part = weight / np.maximum(total, _LEAST)[traits.campaign]
        pooled = controls.campaign_daily[traits.campaign]
        is_pooled = ~np.isnan(pooled)
        limits = controls.limits
        if limits is not None:
            part = limits.parts(part, pool=pooled, campaign=traits.campaign)
        budget = np.nan_to_num(np.where(is_pooled, pooled * part, own))
        spent = np.where(
            is_pooled, motion.campaign_spent_today[traits.campaign] * part, motion.adset_spent_today
        )
        plan = np.maximum(traits.utilisation * budget - spent, 0.0) * share
        if limits is not None:
            plan = limits.plan(
                np.where(alive, plan, 0.0),
                spent_today=motion.adset_spent_today,
                spent=motion.adset_spent,
                campaign=traits.campaign,
            )
        return budget, np.where(alive, plan, 0.0)

    def _auction(
        self,
        motion: Motion,
        population: Population,
        *,
        planned: _Planned,
        clock: _Clock,
        draw: Floats,
    ) -> tuple[Ints, Ints, Floats]:
        """Return (impressions, spend in minor units, click-through ratio) of each ad."""
        world, traits, own = self.world, population.adset_traits, population.ad_traits
        price = (
            traits.cpm
            * world.auction.price(hour=clock.hour, weekday=clock.weekday)[traits.account]
            * world.learning.price_factor(motion.adset_stage)
            * world.noise.factor(motion.adset_price_luck, sigma=world.noise.price)
            * planned.market.price
        )
        room = world.reach.most(audience=traits.audience) * price / _MILLE
        plan, price = np.minimum(planned.money, room), price[own.adset]
        wear = world.fatigue.wear(exposure=motion.ad_exposure, rate=own.fatigue)
        ctr = own.ctr * wear * world.noise.factor(motion.ad_luck, sigma=world.noise.clicks)
        weight = np.where(planned.controls.delivering, (own.ctr * wear) ** _SHARPNESS, 0.0)
        total = np.bincount(own.adset, weights=weight, minlength=len(plan))
        money = plan[own.adset] * weight / np.maximum(total, _LEAST)[own.adset]
        usual = planned.budget * self.ordinary[clock.hour[traits.account]]
        usual_ads = usual[own.adset] * weight / np.maximum(total, _LEAST)[own.adset]
        self._bid(population, planned, of_ads=(own.ctr * wear, price, money), usual=usual_ads)
        mean = money / price * _MILLE
        impressions = np.maximum(np.round(mean + np.sqrt(mean) * draw), 0).astype(np.int64)
        spend = np.minimum(impressions * price / _MILLE, 1.25 * money)
        spend = self._capped(population, spend=spend, planned=plan)
        motion.ad_exposure = world.fatigue.remember(
            exposure=motion.ad_exposure,
            impressions=impressions,
            audience=traits.audience[own.adset],
        )
        self._book(motion, population, spend)
        return impressions, spend, ctr

    def _bid(
        self,
        population: Population,
        planned: _Planned,
        *,
        of_ads: tuple[Floats, Floats, Floats],
        usual: Floats,
    ) -> None:
        """Let bids limit `money` and lower `price` where there are any; both are ours to write."""
        traits, own, controls = population.adset_traits, population.ad_traits, planned.controls
        rows = np.flatnonzero(~np.isnan(controls.bid)[own.adset])
        if not rows.size:
            return
        ctr, price, money = of_ads
        adset = own.adset[rows]
        rate = traits.rate * planned.market.conversion * self._quality(population, planned.budget)
        expected = ctr[rows] * own.rate[rows] * rate[adset]
        most, paid = self.world.bidding.limits(
            bid=_MILLE * controls.bid[adset] * expected,
            price=price[rows],
            is_cost_cap=controls.is_cost_cap[adset],
        )
        money[rows] = np.minimum(money[rows], most * usual[rows])
        price[rows] *= paid

    def _quality(self, population: Population, budget: Floats) -> Floats:
        traits = population.adset_traits
        return self.world.diminishing.quality(
            budget=np.maximum(budget, _LEAST), reference=traits.reference, eta=traits.eta
        )

    def _capped(self, population: Population, *, spend: Floats, planned: Floats) -> Ints:
        """Return whole minor units that never exceed what an ad set planned for the hour."""
        adset = population.ad_traits.adset
        total = np.bincount(adset, weights=spend, minlength=len(planned))
        factor = np.minimum(1.0, planned / np.maximum(total, _LEAST))
        return np.floor(spend * factor[adset]).astype(np.int64)

    def _book(self, motion: Motion, population: Population, spend: Ints) -> None:
        sets, campaigns = len(population.adsets), len(population.campaigns)
        by_set = np.bincount(population.ad_traits.adset, weights=spend, minlength=sets)
        motion.adset_spent_today = motion.adset_spent_today + by_set
        motion.adset_spent = motion.adset_spent + by_set
        motion.campaign_spent_today = motion.campaign_spent_today + np.bincount(
            population.adset_traits.campaign, weights=by_set, minlength=campaigns
        )

    def _rates(
        self,
        motion: Motion,
        population: Population,
        *,
        budget: Floats,
        clock: _Clock,
        market: Market,
    ) -> Floats:
        """Return the conversion rate of each ad in this hour."""
        world, traits, own = self.world, population.adset_traits, population.ad_traits
        sigma = world.noise.conversions * world.learning.noise_factor(motion.adset_stage)
        rate = (
            traits.rate
            * world.conversion.rate_factor(clock.hour)[traits.account]
            * self._quality(population, budget)
            * world.noise.factor(motion.adset_result_luck, sigma=sigma)
            * market.conversion
        )
        return np.asarray(rate[own.adset] * own.rate)

    def _purchases(
        self,
        motion: Motion,
        population: Population,
        *,
        clicks: Ints,
        rate: Floats,
        draws: tuple[Floats, Floats],
    ) -> Ints:
        """Return purchases of shape (ads, delays) from each account's share attributed and luck."""
        attributed, luck = draws
        expected, motion.ad_intent = self.world.conversion.expected(
            intent=motion.ad_intent, clicks=clicks, rate=np.minimum(rate, 1.0)
        )
        account = population.adset_traits.account[population.ad_traits.adset]
        return self.world.lag.reports(expected=expected * attributed[account], luck=luck)

    def _order_value(self, population: Population, draw: Floats) -> Ints:
        mean = population.adset_traits.order_value[population.ad_traits.adset]
        return np.round(mean * np.exp(_VALUE_SPREAD * draw - _VALUE_SPREAD**2 / 2)).astype(np.int64)

    def _learn(self, motion: Motion, population: Population, *, reports: Ints, hour: int) -> None:
        results = np.bincount(
            population.ad_traits.adset,
            weights=reports.sum(axis=1),
            minlength=len(population.adsets),
        )
        motion.adset_results = motion.adset_results * (1 - 1 / _WEEK_HOURS) + results
        motion.adset_stage = self.world.learning.stage(
            stage=motion.adset_stage,
            results=np.round(motion.adset_results).astype(np.int64),
            hours=hour - motion.adset_edited_hour,
        )

    def _facts(
        self, motion: Motion, population: Population, *, counts: Hour, clock: _Clock, hour: int
    ) -> HourFacts:
        account = population.adset_traits.account[population.ad_traits.adset]
        accounts = len(self.zones)
        seen = motion.account_outage == 0
        draw = stream(self.seed, hour=hour, purpose=Purpose.ACCOUNT_NORMAL).standard_normal(
            accounts
        )
        events = self.world.pixel.events(
            clicks=np.bincount(account, weights=counts.clicks, minlength=accounts).astype(np.int64),
            purchases=np.bincount(
                account, weights=counts.reports.sum(axis=1), minlength=accounts
            ).astype(np.int64),
            draw=draw,
            hour=clock.hour,
        )
        return HourFacts(counts, events * seen[:, None], clock.hour)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Daily budgets, the plan of the hour and the market by ad set, and what people set."""

    budget: Floats
    money: Floats
    market: Market
    controls: Controls


class _Clock:
    """The local hour, weekday and day of each account at a moment."""

    def __init__(self, zones: list[ZoneInfo], moment: datetime) -> None:
        local = {zone: moment.astimezone(zone) for zone in set(zones)}
        here = [local[zone] for zone in zones]
        self.hour = np.array([one.hour for one in here])
        self.weekday = np.array([one.weekday() for one in here])
        self.day = np.array([one.toordinal() for one in here])


def _new_days(motion: Motion, population: Population, clock: _Clock) -> None:
    changed = clock.day != motion.account_day
    if not changed.any():
        return
    motion.account_day = clock.day
    by_set = changed[population.adset_traits.account]
    motion.adset_spent_today = np.where(by_set, 0.0, motion.adset_spent_today)
    by_campaign = changed[[node.account for node in population.campaigns]]
    motion.campaign_spent_today = np.where(by_campaign, 0.0, motion.campaign_spent_today)


def whole_hour(moment: datetime) -> datetime:
    """Return the hour that `moment` is in, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
