"""Ridge regression for each account; those that allow it lend each other what they have seen.

    theta_k = lent_k shared_k + (1 - lent_k) alone_k    an account that shares; see `kinship`
    theta_k = ridge regression on its own decisions     an account that does not

An account that shares starts from what the others that share have in common, moves to its own
experience as that grows, and leaves the others behind once they foretell it badly. What was earned
while nothing was changed already tells, and so do states without any outcome: where an account is
more likely unlike the others it is lent nothing and leaves things alone (`looks`). One that does
not share (the default) learns from itself alone and nobody learns from it, not even in which unit a
feature is measured: it has a `ridge` of its own. Of an account never heard of nothing is known.

Reads   a log with `ad_account_id` and, if anyone shares, `share_learning`; or the accounts that
        share by name, which may be new ones.
Gives   a `Policy`: that of the account asked about.
Never   lets a decision of an account that does not share reach another one's choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing, evidence, files, kinship, recall, ridge
from intel_ml.intelligence.policy.group import ACCOUNT, Group
from intel_ml.intelligence.policy.learner import Learner
from intel_ml.intelligence.policy.learner import Settings as RidgeSettings
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Choices, Gains
from intel_ml.intelligence.policy.settings import FLOOR, TEMPERATURE, checked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACCOUNT", "NAME", "SHARES", "Policy", "Settings"]

NAME = "sharing"
SHARES = "share_learning"
_GROUP, _OWN = "group", "own"
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Settings:
    """Those of `ridge`, `tau` (how alike accounts are; 0: by evidence), `alike` (how likely)."""

    alpha: float = 0.1
    caution: float = 0.0
    penalty: float = 1.0
    shared_penalty: float = 0.1
    weight_clip: float = 10.0
    temperature: float = TEMPERATURE
    floor: float = FLOOR
    seed: int = 0
    tau: float = 0.0
    alike: float = 0.9

    def __post_init__(self) -> None:
        if self.tau < 0:
            raise InvalidValueError(path="tau", problem="must not be below 0")
        if not 0 < self.alike < 1:
            raise InvalidValueError(path="alike", problem="is not between 0 and 1")
        self.of_ridge  # noqa: B018  # checks the others

    @property
    def of_ridge(self) -> RidgeSettings:
        """The settings of one account's ridge regression."""
        kept = {name: value for name, value in asdict(self).items() if name not in ("tau", "alike")}
        return RidgeSettings(**kept)

    @property
    def penalties(self) -> kinship.Penalties:
        """What holds accounts and arms together."""
        return kinship.Penalties(
            arm=self.penalty, shared=self.shared_penalty, alike=self.alike, tau=self.tau
        )


class Policy:
    """`Policy(sharing=["act_1"]).fit(log)`; an account that shares needs no decision of its own."""

    name = NAME

    def __init__(
        self,
        *,
        features: Sequence[str] | None = None,
        sharing: Iterable[str] = (),
        **settings: float | str,
    ) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._invited = tuple(sorted(set(sharing)))
        self._group: Group | None = None
        self._own: dict[str, ridge.Policy] = {}
        self._members: dict[str, ridge.Policy] = {}
        self._stranger = self._ridge()

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads; before the first log, those it would like to."""
        found = [] if self._group is None else list(self._group.context.features)
        found += [name for one in self._own.values() for name in one.features]
        return tuple(dict.fromkeys(found)) or self._stranger.features

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels it learned from; empty before the first log."""
        found = set() if self._group is None else set(self._group.context.entity_types)
        return tuple(sorted(found.union(*(one.entity_types for one in self._own.values()))))

    @property
    def accounts(self) -> dict[str, float]:
        """How far each account known goes by the others' experience: 0 for one that is alone."""
        shared = {} if self._group is None else self._group.beliefs.alike.tolist()
        members = dict(zip(self._members, shared, strict=True)) if shared else {}
        return dict.fromkeys(self._own, 0.0) | members

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms, each by what is known for its account."""
        if len(states) == 1:
            return self._of(states, 0).choose(states, allowed=allowed, keys=keys)
        return drawing.merged(states, self._by_account(states), allowed=allowed, keys=keys)

    def values(self, states: States) -> NDArray[np.float64]:
        """Return the expected reward of each arm, (n, 6), in the reward's own unit."""
        found = np.zeros((len(states), len(ARMS)))
        for rows, policy in self._by_account(states):
            found[rows] = policy.values(states.take(rows))
        return found

    def gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond `maintain`, by account."""
        found = Gains(*(np.zeros((len(states), len(ARMS))) for _ in range(2)))
        for rows, policy in self._by_account(states):
            part = policy.gains(states.take(rows))
            found.value[rows], found.deviation[rows] = part.value, part.deviation
        return found

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._group, self._own, self._members = None, {}, {}
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions; rows without a reward or an executed arm don't teach."""
        evidence.require(log, ACCOUNT)
        sharing = self._sharing(log)
        teaching = evidence.rewarded(log)
        if teaching.empty and self._group is None and not self._own:
            raise NotEnoughDataError(quantity="decisions with a reward", needed=1, seen=0)
        is_lent = teaching[ACCOUNT].isin(sharing).to_numpy()
        lent, kept = teaching[is_lent], teaching[~is_lent]
        for account, rows in kept.groupby(ACCOUNT, sort=True):
            self._own[str(account)] = self._own.get(str(account), self._ridge()).learn(rows)
        looked_at = log[log[ACCOUNT].isin(sharing).to_numpy()]
        if len(lent) or (self._group is not None and len(looked_at)):
            group = Group.begun(lent, self._asked) if self._group is None else self._group
            self._group = group.joined(
                lent,
                looked_at=looked_at,
                accounts=sorted(sharing),
                clip=self.settings.weight_clip,
                penalties=self.settings.penalties,
            )
            self._members = self._spread(self._group)
        return self

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return why this arm for this row, and whose experience says so."""
        found = self._of(states, row).explain(states, row, arm)
        account = states.entities[row].account
        if self._group is None or account not in self._members:
            return found
        return (*found, self._whose(self._group, states.take([row]), arm))

    def nearest(
        self, states: States, row: int, arm: Arm, *, k: int | None = None
    ) -> recall.Recalled:
        """Return the most alike cases of the account, and of those that share where it does."""
        return self._of(states, row).nearest(states, row, arm, k=k)

    def save(self, folder: Path) -> None:
        """Write the policy; each account that is alone has a folder of its own."""
        group = self._group
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        words |= {"invited": list(self._invited), _OWN: list(self._own)}
        words[_GROUP] = None if group is None else list(group.accounts)
        arrays: files.Arrays = {}
        if group is not None:
            words |= group.words_to_save()
            arrays = group.arrays_to_save()
        files.write(folder, "policy", words=words, arrays=arrays)
        for number, one in enumerate(self._own.values()):
            one.save(Path(folder) / _OWN / str(number))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], sharing=words["invited"], **words["settings"])
        policy._own = {
            account: ridge.Policy.load(Path(folder) / _OWN / str(number))
            for number, account in enumerate(words[_OWN])
        }
        if words[_GROUP] is not None:
            policy._group = Group.loaded(words[_GROUP], words, arrays)
            policy._members = policy._spread(policy._group)
        return policy

    def _ridge(self) -> ridge.Policy:
        return ridge.Policy(features=self._asked, **asdict(self.settings.of_ridge))

    def _of(self, states: States, row: int) -> ridge.Policy:
        account = states.entities[row].account
        return self._members.get(account) or self._own.get(account) or self._stranger

    def _by_account(self, states: States) -> list[tuple[list[int], ridge.Policy]]:
        rows: dict[str, list[int]] = {}
        for row, entity in enumerate(states.entities):
            rows.setdefault(entity.account, []).append(row)
        return [(found, self._of(states, found[0])) for found in rows.values()]

    def _sharing(self, log: pd.DataFrame) -> set[str]:
        """Return the accounts that share: as each says in the log, as invited where none says."""
        invited = set(self._invited)
        if SHARES in log:
            says = log.groupby(ACCOUNT)[SHARES].all()
            named = set(map(str, says.index[says]))
            invited = (invited - set(map(str, says.index))) | named
        known = set() if self._group is None else set(self._group.accounts)
        seen = set(map(str, log[ACCOUNT].unique()))
        changed = sorted((invited & set(self._own)) | ((known & seen) - invited))
        if changed:
            raise InvalidValueError(
                path=SHARES,
                problem=f"{', '.join(changed)} changed whether it shares",
                hint="Fit anew: what was lent can't be taken back one decision at a time.",
            )
        return invited | known

    def _spread(self, group: Group) -> dict[str, ridge.Policy]:
        """Return for each account that shares a ridge regression with its beliefs."""
        settings = self.settings.of_ridge
        empty = Learner(
            inputs=group.context.width - 1, arms=len(ARMS), settings=settings, is_shared=True
        )
        members = {}
        for place, account in enumerate(group.accounts):
            learned = empty.copy()
            parts = {name: getattr(group.sums, name)[place] for name in ("gram", "b", "counts")}
            parts |= {name: getattr(group.beliefs, name)[place] for name in ("theta", "inverse")}
            squares = float(group.sums.squares[place])
            learned.linear = empty.linear.restored(parts, squares=squares)
            noise = float(group.beliefs.noise[place])
            known = ridge.Fitted(group.context, group.reward, learned, noise, group.cases)
            members[account] = ridge.Policy.knowing(known, settings)
        return members

    def _whose(self, group: Group, one: States, arm: Arm) -> Reason:
        """Return how much of what is believed of an arm here is whose experience.

        The account's own part of the precision along phi: phi' A^-1 G A^-1 phi / phi' A^-1 phi.
        """
        place, at = group.accounts.index(one.entities[0].account), ARM_INDEX[arm]
        counts = group.sums.counts.sum(axis=1)
        others = int((counts > 0).sum()) - int(counts[place] > 0)
        if not others:
            return Reason(f"Learned from {counts[place]:.0f} outcomes of this account alone")
        phi = group.context.of_states(one)[0]
        along = group.beliefs.inverse[place, at] @ phi
        own = float(along @ group.sums.gram[place, at] @ along) / max(float(phi @ along), _NOTHING)
        lent = float(group.beliefs.alike[place]) * (1.0 - min(own, 1.0))
        return Reason(
            f"{lent:.0%} of this is what {others} other accounts that share have seen, the rest "
            f"{counts[place]:.0f} outcomes of this account",
            observed=lent,
        )
