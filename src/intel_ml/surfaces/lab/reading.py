"""What a notebook reads: the frames half of `Lab`.

Reads   the store of this installation.
Gives   frames of accounts, states, signatures, decisions, outcomes; history as an Ibis table.
Never   changes anything but the latest states, and only where it is asked to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.ids import account_id
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.accounts import account as read_account
from intel_ml.data.store.accounts import accounts as read_accounts
from intel_ml.data.store.sessions import Store
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.learning.states import read_states, save_states
from intel_ml.surfaces.lab import frames
from intel_ml.surfaces.lab.progress import working
from intel_ml.surfaces.lab.shelf import Shelf

if TYPE_CHECKING:
    import pandas as pd

FROM_FILE = "file"


@dataclass(frozen=True)
class Reading:
    """What this installation holds, as frames."""

    store: Store

    @property
    def now(self) -> datetime:
        """The platform's moment."""
        return self.store.now()

    @property
    def features(self) -> Shelf:
        """The feature catalogue: `lab.features.search("cpa")`, `lab.features["cpa_ratio"]`."""
        return Shelf()

    def accounts(self) -> pd.DataFrame:
        """Return the accounts: currency, zone, targets, mode, whether they share learning."""
        with self.store.session() as session:
            return frames.accounts(self._accounts(""), sharing=stored.sharing(session))

    def states(self, account: str = "", *, as_of: datetime | str | None = None) -> pd.DataFrame:
        """Return every entity's features as known at `as_of` (now, if not given)."""
        moment = frames.moment(as_of, now=self.now)
        with working("states"), self.store.connection() as connection:
            return frames.states(connection, accounts=self._accounts(account), as_of=moment)

    def refresh_states(self, account: str = "") -> pd.DataFrame:
        """Compute every entity's features now, keep them as its latest state, and return them."""
        with working("states"), self.store.connection() as connection:
            found = read_states(connection, accounts=self._accounts(account), as_of=self.now)
            save_states(connection, found)
        return frames.state_frame(found)

    def signatures(self, account: str = "", *, as_of: datetime | str | None = None) -> pd.DataFrame:
        """Return every entity's thirty-day signature, what archetypes are made of.

        An account that came from a file is read by its name only, as long as others are read live:
        a thousand rows without dates would outvote them.
        """
        chosen = self._accounts(account) if account else self._learned_from()
        return self._signatures(chosen, as_of=frames.moment(as_of, now=self.now))

    def decisions(
        self, account: str = "", days: int | None = None, horizon: int = HORIZON_HOURS
    ) -> pd.DataFrame:
        """Return one row a decision that is over: state_*, pmf_*, proposed, executed, reward, ….

        Rewards are those after `horizon` hours: 24, 48 or 72.
        """
        name = self._name(account)
        with working("decisions"), self.store.connection() as connection:
            return frames.decisions(
                connection, account=name, days=days, horizon=horizon, now=self.now
            )

    def outcomes(self, account: str = "", horizon: int = HORIZON_HOURS) -> pd.DataFrame:
        """Return what was measured `horizon` hours after each decision: before, after, rewards."""
        name = self._name(account)
        with self.store.connection() as connection:
            return frames.outcomes(connection, account=name, horizon=horizon, now=self.now)

    def history(
        self, account: str = "", since: date | str | None = None, until: date | str | None = None
    ) -> Any:
        """Return account days as an Ibis table: `.to_pandas()`, `.to_polars()`, any expression."""
        import ibis  # noqa: PLC0415  # heavy
        import pyarrow as pa  # noqa: PLC0415  # heavy

        today = self.now.date()
        with working("history"), self.store.connection() as connection:
            frame = frames.history(
                connection,
                accounts=self._accounts(account),
                since=since or today - timedelta(days=30),
                until=until or today + timedelta(days=2),
            )
        return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))

    def known_share(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return which share of rows knows each feature; zero: this data cannot give it."""
        return frames.known_share(frame)

    def close(self) -> None:
        """Give the connections back; a notebook's kernel does so when it ends."""
        self.store.close()

    def _signatures(self, accounts: list[Account], *, as_of: datetime) -> pd.DataFrame:
        with working("signatures"), self.store.connection() as connection:
            return frames.signatures(connection, accounts=accounts, as_of=as_of)

    def _learned_from(self) -> list[Account]:
        """Return the accounts that are read live; where there are none, all."""
        everyone = self._accounts("")
        return [one for one in everyone if one.source != FROM_FILE] or everyone

    def _accounts(self, account: str) -> list[Account]:
        name = self._name(account)
        with self.store.session() as session:
            found = read_accounts(session) if name is None else [read_account(session, name)]
        if not found:
            raise NotFoundError(
                "There is no account yet.", hint="`make demo`, or `intel-ml import csv FILE`."
            )
        return found

    def _name(self, account: str) -> str | None:
        """Return the account to read, None for all; a wrong one is refused at once."""
        if not account:
            return None
        if not isinstance(account, str):
            raise InvalidValueError(path="account", problem="is not the text act_…")
        with self.store.session() as session:
            return read_account(session, account_id(account)).id
