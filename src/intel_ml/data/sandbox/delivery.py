"""One hour of delivery: budgets become impressions, clicks and purchases.

    spend  = pacing(budget left) split over the ads by (ctr * wear) ** 1.5
    impressions = 1000 spend / (cpm * auction * learning * noise)
    clicks ~ Poisson(impressions * ctr * wear * noise)
    purchases ~ Poisson(k * intent), reported with delays

Reads   what may deliver and with which budget (`Controls`), and the draws of the hour.
Gives   the hour's counts, and its own state for the next hour.
Never   knows why a budget is what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.days import time_zone
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.ledger import Hour
from intel_ml.data.sandbox.mechanisms.learning import Stage
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
_YOUNG_HOURS = 7 * _DAY_HOURS
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Controls:
    """What people set: which ads may deliver, and daily budgets in minor units (NaN: none)."""

    delivering: NDArray[np.bool_]
    adset_daily: Floats
    campaign_daily: Floats
    lifetime: Floats
    lifetime_end: Floats


@dataclass(slots=True)
class Motion:
    """What delivery carries from hour to hour; the prefix says whose column it is."""

    ad_luck: Floats
    ad_exposure: Floats
    ad_intent: Floats
    adset_price_luck: Floats
    adset_result_luck: Floats
    adset_spent_today: Floats
    adset_spent: Floats
    adset_stage: Ints
    adset_results: Floats
    adset_edited_hour: Ints
    campaign_spent_today: Floats
    account_day: Ints
    account_outage: Ints

    def fork(self) -> Motion:
        """Return a copy that shares nothing."""
        return replace(self, **{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def append(self, level: EntityType, *, hour: int) -> None:
        """Make room for one more ad set or ad, fresh and learning."""
        prefix = f"{level.value}_"
        for one in fields(self):
            if one.name.startswith(prefix):
                column = getattr(self, one.name)
                setattr(self, one.name, np.append(column, np.zeros(1, dtype=column.dtype)))
        if level is EntityType.ADSET:
            self.adset_edited_hour[-1] = hour


@dataclass(frozen=True, slots=True)
class HourFacts:
    """The counts of an hour, the events of the pixels, and the ad sets people edited in it."""

    counts: Hour
    pixel_events: Ints
    edited_rows: Ints
    edited_factor: Floats


def controls_of(population: Population, *, hour: int, start: datetime) -> Controls:
    """Return what the nodes' settings amount to."""
    live = [node.status == "ACTIVE" for node in population.campaigns]
    live_sets = [node.status == "ACTIVE" and live[node.parent] for node in population.adsets]
    delivering = [
        node.status == "ACTIVE" and node.review == "APPROVED" and live_sets[node.parent]
        for node in population.ads
    ]
    ends = [
        hour if node.end is None else (node.end - start) / timedelta(hours=1)
        for node in population.adsets
    ]
    return Controls(
        delivering=np.array(delivering, dtype=bool),
        adset_daily=_or_nan([node.daily_budget_minor for node in population.adsets]),
        campaign_daily=_or_nan([node.daily_budget_minor for node in population.campaigns]),
        lifetime=_or_nan([node.lifetime_budget_minor for node in population.adsets]),
        lifetime_end=np.array(ends, dtype=np.float64),
    )


def first_motion(population: Population, world: WorldFile, *, start: datetime, seed: int) -> Motion:
    """Return the state in which a world wakes up: mature ad sets are done with learning."""
    traits, ads = population.adset_traits, population.ad_traits
    sets, count = len(population.adsets), len(population.ads)
    draws = stream(seed, hour=0, purpose=Purpose.POPULATION)
    ctr = np.bincount(ads.adset, weights=ads.ctr, minlength=sets) / np.maximum(
        np.bincount(ads.adset, minlength=sets), 1
    )
    weekly = 7 * traits.reference / np.maximum(traits.cpm, _LEAST) * _MILLE * ctr * traits.rate
    age = np.array([(start - node.created) // timedelta(hours=1) for node in population.adsets])
    mature = np.where(weekly >= world.learning.results_needed, int(Stage.SUCCESS), int(Stage.FAIL))
    young = age < _YOUNG_HOURS
    return Motion(
        ad_luck=draws.standard_normal(count),
        ad_exposure=ads.exposure.copy(),
        ad_intent=np.zeros(count),
        adset_price_luck=draws.standard_normal(sets),
        adset_result_luck=draws.standard_normal(sets),
        adset_spent_today=np.zeros(sets),
        adset_spent=np.zeros(sets),
        adset_stage=np.where(young, int(Stage.LEARNING), mature).astype(np.int64),
        adset_results=np.where(young, weekly * age / _YOUNG_HOURS, weekly),
        adset_edited_hour=-age.astype(np.int64),
        campaign_spent_today=np.zeros(len(population.campaigns)),
        account_day=np.zeros(len(population.accounts), dtype=np.int64),
        account_outage=np.zeros(len(population.accounts), dtype=np.int64),
    )


class Delivery:
    """The hour's arithmetic for one world."""

    def __init__(self, world: WorldFile, *, seed: int) -> None:
        self.world, self.seed = world, seed
        self.shares = world.pacing.shares()
        self.zones = [time_zone(account.time_zone) for account in world.accounts]

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
        budget, planned = self._plan(motion, population, controls=controls, clock=clock, hour=hour)
        impressions, spend, ctr = self._auction(
            motion,
            population,
            planned=planned,
            clock=clock,
            ads=(controls.delivering, normal[:, 0]),
        )
        clicks = np.minimum(poisson(impressions * ctr, luck[:, 0]), impressions)
        outage_luck = stream(self.seed, hour=hour, purpose=Purpose.ACCOUNT_UNIFORM).random(
            len(self.zones)
        )
        motion.account_outage = self.world.pixel.outage_left(
            left=motion.account_outage, luck=outage_luck
        )
        rate = self._rates(motion, population, budget=budget, clock=clock)
        reports = self._purchases(motion, population, clicks=clicks, rate=rate, luck=luck[:, 1:])
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
        budget = np.nan_to_num(np.where(is_pooled, pooled * part, own))
        spent = np.where(
            is_pooled, motion.campaign_spent_today[traits.campaign] * part, motion.adset_spent_today
        )
        plan = np.maximum(traits.utilisation * budget - spent, 0.0) * share
        return budget, np.where(alive, plan, 0.0)

    def _auction(
        self,
        motion: Motion,
        population: Population,
        *,
        planned: Floats,
        clock: _Clock,
        ads: tuple[NDArray[np.bool_], Floats],
    ) -> tuple[Ints, Ints, Floats]:
        """Return (impressions, spend in minor units, click-through ratio) of each ad."""
        delivering, draw = ads
        world, traits, own = self.world, population.adset_traits, population.ad_traits
        price = (
            traits.cpm
            * world.auction.price(hour=clock.hour, weekday=clock.weekday)[traits.account]
            * world.learning.price_factor(motion.adset_stage)
            * world.noise.factor(motion.adset_price_luck, sigma=world.noise.price)
        )
        wear = world.fatigue.wear(exposure=motion.ad_exposure, rate=own.fatigue)
        ctr = own.ctr * wear * world.noise.factor(motion.ad_luck, sigma=world.noise.clicks)
        weight = np.where(delivering, (own.ctr * wear) ** _SHARPNESS, 0.0)
        total = np.bincount(own.adset, weights=weight, minlength=len(planned))
        money = planned[own.adset] * weight / np.maximum(total, _LEAST)[own.adset]
        mean = money / price[own.adset] * _MILLE
        impressions = np.maximum(np.round(mean + np.sqrt(mean) * draw), 0).astype(np.int64)
        spend = np.minimum(impressions * price[own.adset] / _MILLE, 1.25 * money)
        spend = self._capped(population, spend=spend, planned=planned)
        motion.ad_exposure = world.fatigue.remember(
            exposure=motion.ad_exposure,
            impressions=impressions,
            audience=traits.audience[own.adset],
        )
        self._book(motion, population, spend)
        return impressions, spend, ctr

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
        self, motion: Motion, population: Population, *, budget: Floats, clock: _Clock
    ) -> Floats:
        """Return the conversion rate of each ad in this hour."""
        world, traits, own = self.world, population.adset_traits, population.ad_traits
        sigma = world.noise.conversions * world.learning.noise_factor(motion.adset_stage)
        rate = (
            traits.rate
            * world.conversion.rate_factor(clock.hour)[traits.account]
            * world.diminishing.quality(
                budget=np.maximum(budget, _LEAST), reference=traits.reference, eta=traits.eta
            )
            * world.noise.factor(motion.adset_result_luck, sigma=sigma)
        )
        return np.asarray(rate[own.adset] * own.rate)

    def _purchases(
        self, motion: Motion, population: Population, *, clicks: Ints, rate: Floats, luck: Floats
    ) -> Ints:
        """Return purchases of shape (ads, delays); in an outage nobody is told of them."""
        expected, motion.ad_intent = self.world.conversion.expected(
            intent=motion.ad_intent, clicks=clicks, rate=rate
        )
        account = population.adset_traits.account[population.ad_traits.adset]
        seen = (motion.account_outage == 0)[account]
        return self.world.lag.reports(expected=expected * seen, luck=luck)

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
        )
        luck = stream(self.seed, hour=hour, purpose=Purpose.ADSET_UNIFORM).random(
            (len(population.adsets), 2)
        )
        rows, factor = self.world.outside.edits(
            luck=luck, hour=clock.hour[population.adset_traits.account]
        )
        return HourFacts(counts, events * seen[:, None], rows, factor)


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


def _or_nan(values: list[int | None]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])


def whole_hour(moment: datetime) -> datetime:
    """Return the hour that `moment` is in, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
