"""Copies of campaigns, ad sets and ads, with what is below them if asked.

Reads   a world and how to copy.
Gives   `Copied`: what was made from what, top first; the new nodes are in the population.
Never   copies a past: what is new starts learning from nothing, unseen by anyone.

More than 3 ads are copied asynchronously only (Meta: "Copies", `deep_copy`). A copy whose source
has ended starts now and lasts as long as its source did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from intel_ml.core.errors import RefusedChangeError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.ledger import Ledger
from intel_ml.data.sandbox.motion import Motion
from intel_ml.data.sandbox.population import Node, Population

_BAD_PARAMETER = 100
_MOST_COPIED_ADS = 3
_INHERITED = "INHERITED_FROM_SOURCE"


class Renaming(StrEnum):
    """Which of the copies get the prefix and the suffix."""

    DEEP_RENAME = "DEEP_RENAME"
    ONLY_TOP_LEVEL_RENAME = "ONLY_TOP_LEVEL_RENAME"
    NO_RENAME = "NO_RENAME"


@dataclass(frozen=True, slots=True)
class Copying:
    """How something is copied: with what is below or not, its status, names, parent and times."""

    deep: bool = False
    status: str = "PAUSED"
    renaming: Renaming = Renaming.ONLY_TOP_LEVEL_RENAME
    prefix: str = ""
    suffix: str = " - Copy"
    parent_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One object and the copy made of it."""

    level: EntityType
    source_id: str
    copied_id: str


@dataclass(frozen=True, slots=True)
class Copied:
    """Everything that was made, the object asked for first."""

    pairs: tuple[Pair, ...]

    @property
    def copied_id(self) -> str:
        """The id of the copy of the object asked for."""
        return self.pairs[0].copied_id


class Copyable(Protocol):
    """The parts of a world that a copy reads and adds to."""

    population: Population
    motion: Motion
    ledger: Ledger
    hour: int

    @property
    def now(self) -> datetime:
        """The simulated moment."""


def copy_node(world: Copyable, source: Node, how: Copying) -> Copied:
    """Copy one object of any level, and with `deep` what is below it."""
    copier = _Copier(world, how)
    if how.deep and len(copier.ads_below(source)) > _MOST_COPIED_ADS:
        raise RefusedChangeError(
            "A deep copy of more than 3 ads can't be made in one call: use asyncbatch.",
            code=_BAD_PARAMETER,
            subcode=1885194,
        )
    parent = copier.parent_of(source)
    copier.copy(source, parent=parent, is_top=True)
    return Copied(tuple(copier.pairs))


class _Copier:
    """Makes the twins of one copy and remembers the pairs."""

    def __init__(self, world: Copyable, how: Copying) -> None:
        self.world, self.how = world, how
        self.population = world.population
        self.pairs: list[Pair] = []

    def ads_below(self, source: Node) -> list[Node]:
        """Return the ads a deep copy would copy."""
        if source.level is EntityType.AD:
            return []
        if source.level is EntityType.ADSET:
            return self._children(source)
        return [ad for adset in self._children(source) for ad in self._children(adset)]

    def parent_of(self, source: Node) -> int:
        """Return the row of the parent asked for, or of the source's own."""
        if self.how.parent_id is None:
            return source.parent
        found = self.population.rows.get(self.how.parent_id)
        level = EntityType.CAMPAIGN if source.level is EntityType.ADSET else EntityType.ADSET
        if found is None or found[0] is not level:
            raise RefusedChangeError(f"{level.value}_id is not of that kind.", code=_BAD_PARAMETER)
        if self.population.nodes(level)[found[1]].account != source.account:
            raise RefusedChangeError("A copy stays in its ad account.", code=_BAD_PARAMETER)
        return found[1]

    def copy(self, source: Node, *, parent: int, is_top: bool) -> None:
        """Copy one node and, if asked, its children."""
        below = self._children(source) if self.how.deep else []
        twin = self._twin(source, parent=parent, is_top=is_top)
        row = self._append(twin, like=self.population.rows[source.id][1])
        self.pairs.append(Pair(source.level, source.id, twin.id))
        for child in below:
            self.copy(child, parent=row, is_top=False)

    def _children(self, source: Node) -> list[Node]:
        row = self.population.rows[source.id][1]
        if source.level is EntityType.CAMPAIGN:
            found = [node for node in self.population.adsets if node.parent == row]
        elif source.level is EntityType.ADSET:
            found = [node for node in self.population.ads if node.parent == row]
        else:
            found = []
        return [node for node in found if node.status not in ("ARCHIVED", "DELETED")]

    def _append(self, twin: Node, *, like: int) -> int:
        world = self.world
        match twin.level:
            case EntityType.CAMPAIGN:
                self.population.campaigns.append(twin)
                row = len(self.population.campaigns) - 1
                self.population.rows[twin.id] = (EntityType.CAMPAIGN, row)
            case EntityType.ADSET:
                row = self.population.append_adset(twin, like=like)
            case _:
                row = self.population.append_ad(twin, like=like)
                world.ledger.add_ad()
        world.motion.append(twin.level, hour=world.hour)
        return row

    def _twin(self, source: Node, *, parent: int, is_top: bool) -> Node:
        now, how = self.world.now, self.how
        twin = source.clone()
        siblings = self.population.nodes(source.level)
        twin.id = f"{source.id[:-6]}{len(siblings) + 1:06d}"
        twin.parent, twin.name, twin.source_id = (
            parent,
            self._name(source, is_top=is_top),
            source.id,
        )
        twin.status = source.status if how.status == _INHERITED else how.status
        twin.created = twin.updated = now
        twin.budget_changes, twin.paused_at, twin.periods = [], None, ()
        if source.level is not EntityType.AD:
            self._set_times(twin, source)
        return twin

    def _set_times(self, twin: Node, source: Node) -> None:
        now, how = self.world.now, self.how
        ended = source.end is not None and source.end <= now
        if ended and how.start is None and source.end is not None:
            twin.begin, twin.end = now, now + (source.end - (source.begin or source.created))
        twin.begin = how.start or twin.begin
        twin.end = how.end or twin.end

    def _name(self, source: Node, *, is_top: bool) -> str:
        renames = self.how.renaming is Renaming.DEEP_RENAME or (
            is_top and self.how.renaming is Renaming.ONLY_TOP_LEVEL_RENAME
        )
        return f"{self.how.prefix}{source.name}{self.how.suffix}" if renames else source.name
