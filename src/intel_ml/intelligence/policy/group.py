"""The accounts that share: what was seen of each, in one vector and one unit of reward for all.

Reads   logs, each account's rows under its own name.
Gives   `Group`: joined by more decisions, saved, restored.
Never   sees a row of an account that does not share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.intelligence.policy import cases, context, evidence, files, kinship, looks

if TYPE_CHECKING:
    import pandas as pd

ACCOUNT = "ad_account_id"
_SUMS = tuple(one.name for one in fields(kinship.Sums))
_LOOKS = {one.name: f"looks_{one.name}" for one in fields(looks.Looks)}
_BELIEFS = ("theta", "inverse", "alike", "noise")


@dataclass(frozen=True, slots=True)
class Group:
    """What is known of the accounts that share; each of `sums`, `looks`, `beliefs` in their order.

    `looks` are of every state seen, `sums` of the decisions with an outcome; `cases` are some of
    those, one memory for all.
    """

    accounts: tuple[str, ...]
    context: context.Context
    reward: evidence.RewardScale
    sums: kinship.Sums
    looks: looks.Looks
    beliefs: kinship.Beliefs
    cases: cases.Cases

    @classmethod
    def begun(cls, log: pd.DataFrame, features: Sequence[str] | None) -> Self:
        """Return a group of nobody that reads and pays as these decisions do."""
        fixed = context.learned(log, features)
        return cls(
            accounts=(),
            context=fixed,
            reward=evidence.reward_scale(log["reward"].to_numpy(dtype=np.float64)),
            sums=_no_sums(0, fixed.width),
            looks=looks.Looks.of_nobody(0, fixed.width),
            beliefs=kinship.nothing(0, len(ARMS), fixed.width),
            cases=cases.empty(fixed),
        )

    def joined(
        self,
        log: pd.DataFrame,
        *,
        looked_at: pd.DataFrame,
        accounts: Sequence[str],
        clip: float,
        penalties: kinship.Penalties,
    ) -> Group:
        """Return the group of these accounts with decisions and states added."""
        accounts = tuple(sorted(accounts))
        width = self.context.width
        sums, seen = _no_sums(len(accounts), width), looks.Looks.of_nobody(len(accounts), width)
        at = [accounts.index(account) for account in self.accounts]
        for name in _SUMS:
            getattr(sums, name)[at] = getattr(self.sums, name)
        for name in _LOOKS:
            getattr(seen, name)[at] = getattr(self.looks, name)
        if len(log):
            self._add(sums, evidence.with_pauses(log), accounts, clip)
        for account, rows in looked_at.groupby(ACCOUNT, sort=True):
            vectors = context.of_log(self.context, rows)
            seen.add(accounts.index(str(account)), vectors, witnesses=_witnesses(rows))
        return Group(
            accounts=accounts,
            context=self.context,
            reward=self.reward,
            sums=sums,
            looks=seen,
            beliefs=kinship.believe(sums, penalties, looks=looks.nats(seen)),
            cases=self.cases.learned(log, sharing=accounts),
        )

    def words_to_save(self) -> dict[str, Any]:
        """Return what goes into json."""
        words = self.context.words_to_save() | self.cases.words_to_save()
        return words | {"reward": asdict(self.reward), "tau": self.beliefs.tau}

    def arrays_to_save(self) -> files.Arrays:
        """Return what goes into npz."""
        arrays = self.context.arrays_to_save() | self.cases.arrays_to_save()
        arrays |= {name: getattr(self.sums, name) for name in _SUMS}
        arrays |= {kept: getattr(self.looks, name) for name, kept in _LOOKS.items()}
        return arrays | {name: getattr(self.beliefs, name) for name in _BELIEFS}

    @classmethod
    def loaded(
        cls, accounts: Sequence[str], words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Return the group that was saved."""
        fixed = context.loaded(words, arrays)
        return cls(
            accounts=tuple(accounts),
            context=fixed,
            reward=evidence.RewardScale(**words["reward"]),
            sums=kinship.Sums(**{name: arrays[name] for name in _SUMS}),
            looks=looks.Looks(**{name: arrays[kept] for name, kept in _LOOKS.items()}),
            beliefs=kinship.Beliefs(**{name: arrays[name] for name in _BELIEFS}, tau=words["tau"]),
            cases=cases.loaded(words, arrays, fixed),
        )

    def _add(
        self, sums: kinship.Sums, log: pd.DataFrame, accounts: Sequence[str], clip: float
    ) -> None:
        phi, arms = context.of_log(self.context, log), evidence.arms(log)
        rewards = self.reward.scaled(log["reward"].to_numpy(dtype=np.float64))
        # An account's rows weigh 1 in the mean, whatever the chances were that others gave theirs.
        heavy = np.ones(len(log))
        for _, at in sorted(log.groupby(ACCOUNT).indices.items()):
            heavy[at] = evidence.weights(log.iloc[at], clip=clip)
        places = {account: place for place, account in enumerate(accounts)}
        cells = np.array([places[str(one)] for one in log[ACCOUNT]]) * len(ARMS) + arms
        order = np.argsort(cells, kind="stable")
        for cell, rows in zip(*_runs(cells[order], order), strict=True):
            place = divmod(int(cell), len(ARMS))
            weighted = phi[rows] * heavy[rows, None]
            sums.gram[place] += weighted.T @ phi[rows]
            sums.b[place] += weighted.T @ rewards[rows]
            sums.counts[place] += len(rows)
            sums.squares[place[0]] += float(heavy[rows] @ rewards[rows] ** 2)


def _witnesses(rows: pd.DataFrame) -> int:
    """Return how many entities were seen on how many days, where the log tells both."""
    if not {"entity_id", "as_of"} <= set(rows):
        return len(rows)
    days = rows["as_of"].to_numpy(dtype="datetime64[D]")
    return len(set(zip(rows["entity_id"], days.tolist(), strict=True)))


def _runs(
    sorted_cells: NDArray[np.intp], order: NDArray[np.intp]
) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Return each cell there is, and its rows in the order of the log."""
    cells, first = np.unique(sorted_cells, return_index=True)
    return cells, np.split(order, first[1:])


def _no_sums(accounts: int, width: int) -> kinship.Sums:
    arms = len(ARMS)
    return kinship.Sums(
        gram=np.zeros((accounts, arms, width, width)),
        b=np.zeros((accounts, arms, width)),
        counts=np.zeros((accounts, arms)),
        squares=np.zeros(accounts),
    )
