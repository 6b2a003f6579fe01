"""Any policy, one for each account; those that share what they learn have one together.

`sharing` does this for ridge regression and weighs whose experience counts; this file keeps the
same promise for every other kind, so that kinds can be compared on the log of several accounts.

Reads   an unlearned policy of any kind; a log with `ad_account_id` and, if anyone shares,
        `share_learning`; or the accounts that share by name, which may be new ones.
Gives   a `Policy`: that of the account asked about, the unlearned one for an account never seen.
Never   lets a decision of an account that does not share reach another one's choices.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing, evidence, files, protocol
from intel_ml.intelligence.policy.protocol import Choices, Expects, Gains, Remembers
from intel_ml.intelligence.policy.recall import NOT_LEARNED, Recalled, nothing
from intel_ml.intelligence.policy.sharing import ACCOUNT, SHARES

if TYPE_CHECKING:
    import pandas as pd

NAME = "apart"
_NEW, _TOGETHER, _OWN = "new", "together", "own"
Loader = Callable[[Path], protocol.Policy]


@dataclass(frozen=True, slots=True)
class Learned:
    """The accounts that share and the policy they have; the policies of those that don't."""

    sharing: frozenset[str] = frozenset()
    together: protocol.Policy | None = None
    own: dict[str, protocol.Policy] = field(default_factory=dict)

    def __iter__(self) -> Iterator[protocol.Policy]:
        if self.together is not None:
            yield self.together
        yield from self.own.values()


class Policy:
    """`Policy(vw.Policy(), sharing=["act_1"]).fit(log)`; its name is that of the policy inside.

    It can say what it expects (`gains`) and show the nearest cases (`nearest`) where the policy
    inside can.
    """

    def __init__(
        self,
        new: protocol.Policy,
        *,
        sharing: Iterable[str] = (),
        learned: Learned | None = None,
    ) -> None:
        self.name = new.name
        self._new = new
        self._invited = frozenset(sharing)
        self._learned = learned or Learned()
        if isinstance(new, Expects):
            self.gains = self._gains
        if isinstance(new, Remembers):
            self.nearest = self._nearest

    @property
    def features(self) -> tuple[str, ...]:
        """The features they read; before the first log, those they would like to."""
        found = [name for one in self._learned for name in one.features]
        return tuple(dict.fromkeys(found)) or self._new.features

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels any of them may be asked about; empty: any."""
        found = [one.entity_types for one in self._learned] or [self._new.entity_types]
        if not all(found):
            return ()
        return tuple(sorted({level for levels in found for level in levels}))

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms, each by the policy of its account."""
        if len(states) == 1:
            return self._of(states, 0).choose(states, allowed=allowed, keys=keys)
        return drawing.merged(states, self._by_account(states), allowed=allowed, keys=keys)

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._learned = Learned()
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions, each account from its own and those that share together.

        An account of which nothing can be learned yet stays unlearned; if that is so of all of
        them, the log is too small.
        """
        evidence.require(log, ACCOUNT)
        sharing = self._sharing(log)
        before = self._learned
        own, together = dict(before.own), before.together
        shares = log[ACCOUNT].isin(sharing).to_numpy()
        short = NotEnoughDataError(quantity="decisions to learn from", needed=1, seen=0)
        for account, rows in log[~shares].groupby(ACCOUNT, sort=True):
            try:
                own[str(account)] = self._or_new(own.get(str(account))).learn(rows)
            except NotEnoughDataError as error:
                short = error
        if shares.any():
            try:
                together = self._or_new(together).learn(log[shares])
            except NotEnoughDataError as error:
                short = error
        found = Learned(frozenset(sharing), together, own)
        if not any(True for _ in found):
            raise short
        self._learned = found
        return self

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return why the policy of this account would do that."""
        return self._of(states, row).explain(states, row, arm)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and an empty `policy.npz`; each policy inside has its own folder."""
        known = self._learned
        words = {
            "kind": NAME,
            "invited": sorted(self._invited),
            "sharing": sorted(known.sharing),
            _OWN: list(known.own),
            _TOGETHER: known.together is not None,
        }
        files.write(folder, "policy", words=words, arrays={})
        self._new.save(Path(folder) / _NEW)
        if known.together is not None:
            known.together.save(Path(folder) / _TOGETHER)
        for number, one in enumerate(known.own.values()):
            one.save(Path(folder) / _OWN / str(number))

    @classmethod
    def load(cls, folder: Path, each: Loader | None = None) -> Self:
        """Read what `save` wrote; `each` loads the policies inside, `load_policy` brings itself."""
        if each is None:
            raise InvalidValueError(
                path="each", problem="nothing loads the policies inside", hint="Use load_policy."
            )
        words, _ = files.read(folder, "policy", kind=NAME)
        learned = Learned(
            sharing=frozenset(words["sharing"]),
            together=each(Path(folder) / _TOGETHER) if words[_TOGETHER] else None,
            own={
                account: each(Path(folder) / _OWN / str(number))
                for number, account in enumerate(words[_OWN])
            },
        )
        return cls(each(Path(folder) / _NEW), sharing=words["invited"], learned=learned)

    def _nearest(self, states: States, row: int, arm: Arm, *, k: int | None = None) -> Recalled:
        """Return the most alike cases by the policy of the account."""
        found = self._of(states, row)
        if not isinstance(found, Remembers):
            return nothing(arm, NOT_LEARNED)
        return found.nearest(states, row, arm, k=k)

    def _or_new(self, known: protocol.Policy | None) -> protocol.Policy:
        return copy.deepcopy(self._new) if known is None else known

    def _of(self, states: States, row: int) -> protocol.Policy:
        account, known = states.entities[row].account, self._learned
        own = known.own.get(account)
        if own is not None:
            return own
        is_in = account in known.sharing or account in self._invited
        return known.together if is_in and known.together is not None else self._new

    def _by_account(self, states: States) -> list[tuple[list[int], protocol.Policy]]:
        rows: dict[int, list[int]] = {}
        policies: dict[int, protocol.Policy] = {}
        for row in range(len(states)):
            policy = self._of(states, row)
            rows.setdefault(id(policy), []).append(row)
            policies[id(policy)] = policy
        return [(found, policies[key]) for key, found in rows.items()]

    def _sharing(self, log: pd.DataFrame) -> set[str]:
        """Return the accounts that share: as each says in the log, as invited where none says."""
        known, invited = self._learned, set(self._invited)
        if SHARES in log:
            says = log.groupby(ACCOUNT)[SHARES].all()
            named = set(map(str, says.index[says]))
            invited = (invited - set(map(str, says.index))) | named
        seen = set(map(str, log[ACCOUNT].unique()))
        changed = sorted((invited & set(known.own)) | ((known.sharing & seen) - invited))
        if changed:
            raise InvalidValueError(
                path=SHARES,
                problem=f"{', '.join(changed)} changed whether it shares",
                hint="Fit anew: what was lent can't be taken back one decision at a time.",
            )
        return invited | known.sharing

    def _gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond `maintain`, by account."""
        found = Gains(*(np.zeros((len(states), len(ARMS))) for _ in range(2)))
        for rows, policy in self._by_account(states):
            if isinstance(policy, Expects):
                part = policy.gains(states.take(rows))
                found.value[rows], found.deviation[rows] = part.value, part.deviation
        return found
