"""A simulated ad platform: time, delivery, edits, forks.

Reads   a world file, a start and a seed.
Gives   `World`: what was delivered so far, and a future that can be forked.
Never   reads a clock or a global random state: the same calls give the same world.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError, NotFoundError, RefusedChangeError
from intel_ml.core.ids import Entity, EntityType
from intel_ml.core.money import Money
from intel_ml.data.sandbox.changes import API_ACTOR, Activity, Change, apply_change, check_change
from intel_ml.data.sandbox.colleagues import edit_from_outside
from intel_ml.data.sandbox.copying import Copied, Copying, copy_node
from intel_ml.data.sandbox.delivery import Delivery, whole_hour
from intel_ml.data.sandbox.ledger import Ledger
from intel_ml.data.sandbox.levers import controls_after, controls_of, grown
from intel_ml.data.sandbox.mechanisms.learning import Stage
from intel_ml.data.sandbox.motion import first_motion
from intel_ml.data.sandbox.population import Node, populate
from intel_ml.data.sandbox.timing import turning_points
from intel_ml.data.sandbox.worldfile import WorldFile, load_world_file

_BAD_PARAMETER = 100


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
        self._turning = turning_points(self.population)

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
        twin._turning = self._turning  # noqa: SLF001  # as above
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
        before = node.clone()
        log = apply_change(node, change, now=self.now, actor=actor)
        if not log:
            return
        self.activities.extend(log)
        if not self.file.actions_have_effect:
            return
        self._controls = controls_after(
            self._controls, self.population, node, hour=self.hour, start=self.start
        )
        self._relearn(before, node)

    def check(self, identifier: str, change: Change) -> None:
        """Raise what the platform would answer to a change, without making it."""
        node = self.node(identifier)
        spent = 0
        if node.level is EntityType.ADSET:
            spent = int(self.motion.adset_spent[self.population.rows[node.id][1]])
        check_change(self.population, node, change, now=self.now, spent_minor=spent)

    def copy_adset(self, identifier: str, how: Copying) -> Copied:
        """Copy an ad set, with its ads if asked; a copy starts learning from nothing."""
        if self.node(identifier).level is not EntityType.ADSET:
            raise RefusedChangeError(
                "Only ad sets are copied here.", code=_BAD_PARAMETER, subcode=33
            )
        return self.copy(identifier, how)

    def copy(self, identifier: str, how: Copying) -> Copied:
        """Copy a campaign, an ad set or an ad."""
        source = self.node(identifier)
        copied = copy_node(self, source, how)
        fresh = controls_of(self.population, hour=self.hour, start=self.start)
        has_effect = self.file.actions_have_effect
        self._controls = fresh if has_effect else grown(self._controls, fresh)
        self._turning = turning_points(self.population)
        if source.level is EntityType.AD and has_effect:
            # A new ad in an ad set is a significant edit of it.
            self.restart_learning(self.node(copied.copied_id).parent)
        return copied

    def refresh(self) -> None:
        """Let delivery see what people have set, where actions have an effect at all."""
        if self.file.actions_have_effect:
            self._controls = controls_of(self.population, hour=self.hour, start=self.start)
            self._turning = turning_points(self.population)

    def restart_learning(self, row: int) -> None:
        """Begin the learning of an ad set anew: a significant edit was made."""
        self.motion.adset_stage[row] = int(Stage.LEARNING)
        self.motion.adset_results[row] = 0.0
        self.motion.adset_edited_hour[row] = self.hour

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
        if self.now in self._turning:
            self.refresh()
        facts = self.delivery.step(
            self.motion, self.population, controls=self._controls, moment=self.now, hour=self.hour
        )
        self.ledger.record(facts.counts)
        self.pixel_events.append(facts.pixel_events)
        self.hour += 1
        edit_from_outside(self, local_hour=facts.local_hour)

    def _relearn(self, before: Node, after: Node) -> None:
        """Restart learning where the edit that made `after` of `before` is a significant one."""
        learning, row = self.file.learning, self.population.rows[after.id][1]
        edited = any(
            learning.is_significant(before_minor=old or 0, after_minor=new or 0)
            for old, new in (
                (before.daily_budget_minor, after.daily_budget_minor),
                (before.lifetime_budget_minor, after.lifetime_budget_minor),
                (before.bid_amount_minor, after.bid_amount_minor),
            )
        )
        if after.level is EntityType.CAMPAIGN and edited:
            for below in np.flatnonzero(self.population.adset_traits.campaign == row):
                self.restart_learning(int(below))
        if after.level is not EntityType.ADSET:
            return
        woke = (
            before.status == "PAUSED"
            and after.status == "ACTIVE"
            and before.paused_at is not None
            and self.now - before.paused_at >= timedelta(hours=learning.paused_hours)
        )
        strategy = before.settings.get("bid_strategy") != after.settings.get("bid_strategy")
        if edited or woke or strategy:
            self.restart_learning(row)

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
