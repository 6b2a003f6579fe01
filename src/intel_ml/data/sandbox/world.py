"""A simulated ad platform: time, delivery, edits, forks.

Reads   a world file, a start and a seed.
Gives   `World`: what was delivered so far, and a future that can be forked.
Never   reads a clock or a global random state: the same calls give the same world.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError, NotFoundError, PlatformError, RefusedChangeError
from intel_ml.core.ids import Entity, EntityType
from intel_ml.core.money import Money
from intel_ml.data.sandbox.changes import (
    API_ACTOR,
    HUMAN_ACTOR,
    Activity,
    Change,
    apply_change,
    check_change,
    minimum_budget,
)
from intel_ml.data.sandbox.delivery import Delivery, controls_of, first_motion, whole_hour
from intel_ml.data.sandbox.ledger import Ledger
from intel_ml.data.sandbox.mechanisms.learning import Stage
from intel_ml.data.sandbox.population import Node, populate
from intel_ml.data.sandbox.worldfile import WorldFile, load_world_file

_BAD_PARAMETER = 100
_MOST_COPIED_ADS = 3


@dataclass(frozen=True, slots=True)
class Copying:
    """How an ad set is copied: with its ads or not, in which status, name and campaign."""

    deep: bool = False
    status: str = "PAUSED"
    suffix: str = " - Copy"
    campaign_id: str | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """The new ad set, and the new ads beside those they were made from."""

    adset_id: str
    ads: tuple[tuple[str, str], ...]


class World:
    """One simulated platform.

    >>> from datetime import UTC
    >>> world = World.load("demo", start=datetime(2026, 11, 1, tzinfo=UTC))
    >>> world.advance(2)
    >>> world.now.isoformat()
    '2026-11-01T02:00:00+00:00'
    """

    def __init__(self, file: WorldFile, *, start: datetime, seed: int | None = None) -> None:
        self.file = file
        self.seed = file.seed if seed is None else seed
        self.start = whole_hour(start)
        self.hour = 0
        self.population = populate(file, seed=self.seed, start=self.start)
        self.delivery = Delivery(file, seed=self.seed)
        self.motion = first_motion(self.population, file, start=self.start, seed=self.seed)
        self.ledger = Ledger(ads=len(self.population.ads), delays=file.lag.delays_hours)
        self.pixel_events: list[NDArray[np.int64]] = []
        self.activities: list[Activity] = []
        self._controls = controls_of(self.population, hour=0, start=self.start)

    @classmethod
    def load(cls, name_or_path: str | Path, *, start: datetime, seed: int | None = None) -> World:
        """Return the world of a shipped name or a TOML file, at its first hour."""
        return cls(load_world_file(name_or_path), start=start, seed=seed)

    @property
    def name(self) -> str:
        """The name the world file gives itself."""
        return self.file.name

    @property
    def now(self) -> datetime:
        """The simulated moment, UTC; everything before it has happened."""
        return self.start + timedelta(hours=self.hour)

    def advance(self, hours: int) -> None:
        """Play this many hours."""
        if hours < 0:
            raise InvalidValueError(path="hours", problem="time goes forward only")
        for _ in range(hours):
            self._play_hour()

    def fork(self) -> World:
        """Return a copy with the same past and the same luck ahead."""
        twin = World.__new__(World)
        twin.file, twin.seed, twin.start, twin.hour = self.file, self.seed, self.start, self.hour
        twin.population = self.population.fork()
        twin.delivery = self.delivery
        twin.motion = self.motion.fork()
        twin.ledger = self.ledger.fork()
        twin.pixel_events = list(self.pixel_events)
        twin.activities = list(self.activities)
        twin._controls = self._controls  # noqa: SLF001  # a twin of the same class
        return twin

    def apply(self, entity: Entity, action: Action) -> None:
        """Do to an entity what an action says, as a write over HTTP would."""
        node = self.node(entity.id)
        match action.type:
            case ActionType.PAUSE:
                self.change(node.id, Change(status="PAUSED"))
            case ActionType.ACTIVATE:
                self.change(node.id, Change(status="ACTIVE"))
            case ActionType.INCREASE_BUDGET | ActionType.DECREASE_BUDGET:
                self.change(node.id, self._budget_change(node, action.percent or 0))
            case ActionType.ADJUST_BID:
                self.change(node.id, self._bid_change(node, action.percent or 0))
            case ActionType.DUPLICATE:
                self.copy_adset(node.id, Copying(deep=True))
            case ActionType.NOTIFY_ONLY | ActionType.DO_NOTHING:
                return

    def change(self, identifier: str, change: Change, *, actor: str = API_ACTOR) -> None:
        """Check a change and make it; a refusal leaves everything as it was."""
        node = self.node(identifier)
        self.check(identifier, change)
        before = node.daily_budget_minor
        was_paused = node.paused_at if node.status == "PAUSED" else None
        log = apply_change(node, change, now=self.now, actor=actor)
        if not log:
            return
        self.activities.extend(log)
        if not self.file.actions_have_effect:
            return
        self._controls = controls_of(self.population, hour=self.hour, start=self.start)
        if node.level is EntityType.ADSET:
            self._relearn(node, before=before, was_paused=was_paused)

    def check(self, identifier: str, change: Change) -> None:
        """Raise what the platform would answer to a change, without making it."""
        node = self.node(identifier)
        spent = 0
        if node.level is EntityType.ADSET:
            spent = int(self.motion.adset_spent[self.population.rows[node.id][1]])
        check_change(self.population, node, change, now=self.now, spent_minor=spent)

    def copy_adset(self, identifier: str, how: Copying) -> Copied:
        """Copy an ad set, with its ads if asked; a copy starts learning from nothing."""
        source = self.node(identifier)
        if source.level is not EntityType.ADSET:
            raise RefusedChangeError(
                "Only ad sets are copied here.", code=_BAD_PARAMETER, subcode=33
            )
        row = self.population.rows[identifier][1]
        ads = (
            [n for n, ad in enumerate(self.population.ads) if ad.parent == row] if how.deep else []
        )
        if len(ads) > _MOST_COPIED_ADS:
            raise RefusedChangeError(
                "A deep copy of more than 3 ads must be made asynchronously.",
                code=_BAD_PARAMETER,
                subcode=1885194,
            )
        parent = source.parent if how.campaign_id is None else self._campaign_row(how.campaign_id)
        adset = self._twin(source, parent=parent, name=source.name + how.suffix, status=how.status)
        new_row = self.population.append_adset(adset, like=row)
        self.motion.append(EntityType.ADSET, hour=self.hour)
        pairs = []
        for n in ads:
            old = self.population.ads[n]
            ad = self._twin(old, parent=new_row, name=old.name, status=how.status)
            self.population.append_ad(ad, like=n)
            self.motion.append(EntityType.AD, hour=self.hour)
            self.ledger.add_ad()
            pairs.append((old.id, ad.id))
        fresh = controls_of(self.population, hour=self.hour, start=self.start)
        if not self.file.actions_have_effect:
            fresh.delivering[:] = False
            fresh.delivering[: len(self._controls.delivering)] = self._controls.delivering
        self._controls = fresh
        return Copied(adset.id, tuple(pairs))

    def node(self, identifier: str) -> Node:
        """Return the campaign, ad set or ad with this id."""
        found = self.population.find(identifier)
        if found is None:
            raise NotFoundError(f"The sandbox has no campaign, ad set or ad {identifier}.")
        return found

    def stage(self, row: int) -> Stage:
        """Return the learning stage of an ad set."""
        return Stage(int(self.motion.adset_stage[row]))

    def _play_hour(self) -> None:
        facts = self.delivery.step(
            self.motion, self.population, controls=self._controls, moment=self.now, hour=self.hour
        )
        self.ledger.record(facts.counts)
        self.pixel_events.append(facts.pixel_events)
        self.hour += 1
        for row, factor in zip(facts.edited_rows, facts.edited_factor, strict=True):
            self._edit_from_outside(int(row), float(factor))

    def _edit_from_outside(self, row: int, factor: float) -> None:
        node = self.population.adsets[row]
        if node.status != "ACTIVE" or node.daily_budget_minor is None:
            return
        amount = max(minimum_budget(self.population, node), round(node.daily_budget_minor * factor))
        # A person is refused like anyone else, for example on the fifth change in an hour.
        with contextlib.suppress(PlatformError):
            self.change(node.id, Change(daily_budget_minor=amount), actor=HUMAN_ACTOR)

    def _relearn(self, node: Node, *, before: int | None, was_paused: datetime | None) -> None:
        learning, row = self.file.learning, self.population.rows[node.id][1]
        edited = learning.is_significant(
            before_minor=before or 0, after_minor=node.daily_budget_minor or 0
        )
        long_pause = timedelta(hours=learning.paused_hours)
        woke = (
            node.status == "ACTIVE"
            and was_paused is not None
            and self.now - was_paused >= long_pause
        )
        if edited or woke:
            self.motion.adset_stage[row] = int(Stage.LEARNING)
            self.motion.adset_results[row] = 0.0
            self.motion.adset_edited_hour[row] = self.hour

    def _budget_change(self, node: Node, percent: int) -> Change:
        currency = self.population.accounts[node.account].currency
        if node.lifetime_budget_minor is not None:
            after = Money(node.lifetime_budget_minor, currency).changed_by(percent).minor
            return Change(lifetime_budget_minor=after)
        after = Money(node.daily_budget_minor or 0, currency).changed_by(percent).minor
        return Change(daily_budget_minor=after)

    def _bid_change(self, node: Node, percent: int) -> Change:
        currency = self.population.accounts[node.account].currency
        if node.bid_amount_minor is None:
            raise RefusedChangeError("This object has no bid to adjust.", code=_BAD_PARAMETER)
        return Change(
            bid_amount_minor=Money(node.bid_amount_minor, currency).changed_by(percent).minor
        )

    def _campaign_row(self, identifier: str) -> int:
        node = self.node(identifier)
        if node.level is not EntityType.CAMPAIGN:
            raise RefusedChangeError("campaign_id is not a campaign.", code=_BAD_PARAMETER)
        return self.population.rows[identifier][1]

    def _twin(self, source: Node, *, parent: int, name: str, status: str) -> Node:
        twin = source.clone()
        siblings = self.population.nodes(source.level)
        twin.id = f"{source.id[:-6]}{len(siblings) + 1:06d}"
        twin.parent, twin.name, twin.source_id = parent, name, source.id
        twin.status = source.status if status == "INHERITED_FROM_SOURCE" else status
        twin.created = twin.updated = self.now
        twin.budget_changes, twin.paused_at = [], None
        return twin
