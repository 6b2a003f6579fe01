"""`connect()`: the one object through which a notebook reads, compares and registers.

Reads   this installation's settings, and through them its database and registry.
Gives   frames with data dictionaries, policies, archetypes, comparisons, registered versions, the
        current MLflow run.
Never   shows a URL or a secret; never acts on an account.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.ids import account_id
from intel_ml.data.store.accounts import account as read_account
from intel_ml.data.store.accounts import accounts as read_accounts
from intel_ml.data.store.sessions import Store
from intel_ml.learning.registry import CHALLENGER, CHAMPION, SHADOW, Registry, Run
from intel_ml.learning.states import read_states, save_states
from intel_ml.surfaces.lab import frames, models, pictures
from intel_ml.surfaces.lab.progress import when_kernel_ends, working
from intel_ml.surfaces.lab.shelf import Shelf
from intel_ml.surfaces.platform import open_store
from intel_ml.surfaces.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.intelligence.policy.protocol import Policy
    from intel_ml.learning.evaluation.comparison import Comparison
    from intel_ml.learning.gates import ModelDescription
    from intel_ml.surfaces.lab.worlds import StudyWorld

ARCHETYPES = "campaign-archetypes"
FROM_FILE = "file"
_STUDIES = "studies"


def connect() -> Lab:
    """Return the door to the platform this notebook belongs to."""
    settings = load_settings()
    return Lab(
        settings=settings, store=open_store(settings), registry=Registry(settings.mlflow_url)
    )


@dataclass(frozen=True)
class Lab:
    """The running platform, as a notebook sees it."""

    settings: Settings
    store: Store
    registry: Registry
    _judged: list[tuple[Comparison, pd.DataFrame]] = field(default_factory=list, repr=False)

    def __repr__(self) -> str:
        return f"Lab({len(self.accounts())} accounts, platform time {self.now:%Y-%m-%d %H:%M} UTC)"

    @property
    def now(self) -> datetime:
        """The platform's moment."""
        return self.store.now()

    @property
    def features(self) -> Shelf:
        """The feature catalogue: `lab.features.search("cpa")`, `lab.features["cpa_ratio"]`."""
        return Shelf()

    @functools.cached_property
    def run(self) -> Run:
        """The MLflow run this notebook belongs to: the scheduler's, or a study of its own."""
        current = self.registry.current_run()
        if current is not None:
            return current
        opened = self.registry.open_run(_STUDIES, f"{self.now:%Y-%m-%d %H:%M}")
        when_kernel_ends(lambda: self.registry.close_run(opened.id, status="FINISHED"))
        return opened

    def accounts(self) -> pd.DataFrame:
        """Return the accounts: currency, zone, targets, mode."""
        import pandas as pd  # noqa: PLC0415  # heavy

        return pd.DataFrame(
            [
                {
                    "account": one.id,
                    "name": one.name,
                    "currency": one.currency,
                    "time_zone": one.time_zone,
                    "target_cpa": None if one.target_cpa is None else float(one.target_cpa.major),
                    "target_roas": one.target_roas,
                    "mode": one.mode.value,
                    "source": one.source,
                }
                for one in self._accounts("")
            ]
        )

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

    def decisions(self, account: str = "", days: int | None = None) -> pd.DataFrame:
        """Return one row a decision that is over: state_*, pmf_*, proposed, executed, reward, …."""
        name = self._name(account)
        with working("decisions"), self.store.connection() as connection:
            return frames.decisions(connection, account=name, days=days, now=self.now)

    def outcomes(self, account: str = "") -> pd.DataFrame:
        """Return what was measured after each decision: before, after, both rewards."""
        name = self._name(account)
        with self.store.connection() as connection:
            return frames.outcomes(connection, account=name, now=self.now)

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

    def archetypes(self, account: str = "") -> pd.DataFrame:
        """Return each entity with its archetype, by the newest archetypes in use."""
        found = self.archetypes_in_use()
        if found is None:
            raise NotFoundError(
                "No archetypes are registered yet.", hint="Run 20_train_archetypes first."
            )
        return found.assign(self._signatures(self._accounts(account), as_of=self.now))

    def archetypes_in_use(self) -> Archetypes | None:
        """Return the champion among the archetypes, else those in shadow, else None."""
        for alias in (CHAMPION, SHADOW):
            if found := self.registry.load_archetypes(ARCHETYPES, alias):
                return found.archetypes
        return None

    def model(self, name: str) -> ModelDescription:
        """Return what models/NAME/model.toml says."""
        return models.described(self.settings.project, name)

    def policy(self, name: str) -> Policy:
        """Return a registered policy by "NAME@ALIAS" or "NAME/VERSION"."""
        return models.policy(self.registry, name).policy

    def choices(self, policy: Policy, account: str = "") -> pd.DataFrame:
        """Return what a policy would do with each entity now, were every arm allowed."""
        with self.store.connection() as connection:
            found = read_states(connection, accounts=self._accounts(account), as_of=self.now)
        return models.choices(policy, found)

    def split(self, log: pd.DataFrame, *, newest: float) -> models.Split:
        """Return a log cut in time: learn from `.older`, judge on `.newer`."""
        return models.split(log, newest=newest)

    def keep_candidate(
        self, policy: Policy, *, name: str, log: pd.DataFrame, account: str = ""
    ) -> None:
        """Keep a trained policy with this run, to be evaluated on what came after `log`."""
        waiting = models.waiting_as(name, account)
        models.keep_candidate(self.registry, policy, name=waiting, run=self.run, log=log)

    def candidate(self, name: str, *, account: str = "") -> models.Candidate:
        """Return the newest trained policy of all accounts, or of one, that waits for judgement."""
        return models.candidate(self.registry, name, account=account)

    def compare(self, policy: Policy, against: str, log: pd.DataFrame) -> Comparison:
        """Return what `policy` would be worth beside "NAME@ALIAS", or beside what was done."""
        self.model(models.place_of(against)[0])
        with working("comparison"):
            report = models.compare(self.registry, policy, against=against, log=log)
        self._judged.append((report, log))
        return report

    def register(
        self,
        policy: Policy,
        *,
        name: str,
        alias: str = CHALLENGER,
        report: Comparison,
        trained: models.Candidate | None = None,
    ) -> models.Registered:
        """Register a policy with its evidence; `shadow` and `champion` ask their gate."""
        log = next((log for known, log in self._judged if known is report), None)
        evidence = models.evidence_of(report, log=log, trained=trained)
        scope = trained.account if trained else ""
        return models.register(
            self._desk(name), policy, alias=alias, evidence=evidence, account=scope
        )

    def register_archetypes(
        self, archetypes: Archetypes, *, signatures: pd.DataFrame, name: str = ARCHETYPES
    ) -> models.Registered:
        """Register archetypes; they are used from then on if their gate passes.

        Those of one account among several are kept beside, and leave the platform's in use.
        """
        everyone = set(self.signatures()["ad_account_id"])
        return models.register_archetypes(
            self._desk(name), archetypes, signatures=signatures, everyone=everyone
        )

    def world(self, name: str) -> StudyWorld:
        """Return a world of the sandbox, with its oracle, starting thirty days before now."""
        from intel_ml.data.sandbox.worldfile import load_world_file  # noqa: PLC0415  # studies only
        from intel_ml.surfaces.lab.worlds import StudyWorld  # noqa: PLC0415  # studies only

        return StudyWorld(load_world_file(name), start=self.now - timedelta(days=30))

    def show(self, figure: Figure, name: str) -> pictures.Picture:
        """Show a figure and keep it with this run."""
        self.run.log_figure(figure, name)
        return pictures.picture(figure, name)

    def close(self) -> None:
        """Give the connections back; a notebook's kernel does so when it ends."""
        self.store.close()

    def _desk(self, name: str) -> models.Desk:
        return models.Desk(
            registry=self.registry,
            store=self.store,
            model=self.model(name),
            card=models.card(self.settings.project, name),
            run=self.run,
            now=self.now,
            min_training_samples=self.settings.min_training_samples,
        )

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
