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
from intel_ml.core.recommendations import IMITATION
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.accounts import account as read_account
from intel_ml.data.store.accounts import accounts as read_accounts
from intel_ml.data.store.sessions import Store
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.learning.registry import CHALLENGER, CHAMPION, SHADOW, Registry, Run
from intel_ml.learning.states import read_states, save_states
from intel_ml.learning.training import mark_used, new_policy
from intel_ml.surfaces.lab import frames, models, pictures
from intel_ml.surfaces.lab.progress import finish, when_kernel_ends, working
from intel_ml.surfaces.lab.shelf import Shelf
from intel_ml.surfaces.platform import open_store
from intel_ml.surfaces.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.intelligence.policy.protocol import Policy
    from intel_ml.learning.evaluation.comparison import Comparison
    from intel_ml.learning.evaluation.watch import Watch
    from intel_ml.learning.gates import ModelDescription
    from intel_ml.learning.simulation import Evaluation
    from intel_ml.surfaces.lab.autonomy import Study
    from intel_ml.surfaces.lab.beside import Beside
    from intel_ml.surfaces.lab.challenger import Challenged
    from intel_ml.surfaces.lab.effects import Effects
    from intel_ml.surfaces.lab.imitation import Imitated
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
        when_kernel_ends(lambda: finish(self.registry, opened.id))
        return opened

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

    def new_policy(self, name: str, *, seed: int = 0) -> Policy:
        """Return the policy models/NAME/model.toml describes, before it has learned anything."""
        with self.store.session() as session:
            return new_policy(self.model(name), seed=seed, sharing=stored.sharing(session))

    def split(self, log: pd.DataFrame, *, newest: float) -> models.Split:
        """Return a log cut in time: learn from `.older`, judge on `.newer`."""
        return models.split(log, newest=newest)

    def keep_candidate(
        self, policy: Policy, *, name: str, log: pd.DataFrame, account: str = ""
    ) -> None:
        """Keep a trained policy with this run, to be evaluated on what came after `log`."""
        waiting = models.waiting_as(name, account)
        models.keep_candidate(self.registry, policy, name=waiting, run=self.run, log=log)
        with self.store.connection() as connection:
            mark_used(connection, log, batch=self.run.id)

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

    def gate(
        self, name: str, *, report: Comparison, trained: models.Candidate | None = None
    ) -> pd.DataFrame:
        """Return what the gate into use would say to this evidence today; nothing is registered."""
        from intel_ml.surfaces.lab.standing import asked  # noqa: PLC0415  # studies only

        evidence = models.evidence_of(report, log=None, trained=trained)
        return asked(self._desk(name), evidence)

    def watch(self, name: str, *, log: pd.DataFrame, rival: Policy | None = None) -> Watch | None:
        """Return whether the champion still earns its place; None where no policy is in use.

        Counted are decisions since its promotion, beside what was done then, or beside a `rival`.
        """
        from intel_ml.surfaces.lab.standing import watched  # noqa: PLC0415  # studies only

        with working("champion since its promotion"):
            return watched(self._desk(name), rival, log)

    def beside(self, policy: Policy, log: pd.DataFrame) -> Beside:
        """Return what `policy` would have done beside what was done, decision by decision."""
        from intel_ml.surfaces.lab.beside import beside  # noqa: PLC0415  # studies only

        with self.store.connection() as connection:
            names = frames.entity_names(connection)
        return beside(policy, log, names=names)

    def effects(self, log: pd.DataFrame) -> Effects:
        """Return what the actions of a log did, against what was left alone at random."""
        from intel_ml.surfaces.lab.effects import effects  # noqa: PLC0415  # studies only

        with self.store.connection() as connection:
            names = frames.rule_names(connection)
        return effects(log, rules=names)

    def play(
        self, policy: Policy, *, world: str = "fatigue", days: int = 14, seeds: int = 3
    ) -> Evaluation:
        """Return what `policy` makes in a world of the sandbox, beside rules, chance and the truth.

        Each play begins with this policy and lets it learn from its own outcomes day by day.
        """
        from intel_ml.learning.simulation import evaluate  # noqa: PLC0415  # studies only

        with working(f"{days} days of {world}, {seeds} times"):
            return evaluate(policy, world, days=days, seeds=seeds)

    def what_could_run(
        self, log: pd.DataFrame, *, risk: float = 0.05, delta: float = 0.10, newest: float = 0.5
    ) -> Study:
        """Return what could run by itself with at most `risk` disagreement; the newest part says.

        The promise is false with probability `delta` at most.
        """
        from intel_ml.surfaces.lab.autonomy import study  # noqa: PLC0415  # studies only

        with working("autonomy study"):
            return study(log, risk=risk, delta=delta, newest=newest)

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

    def imitate(self, log: pd.DataFrame, *, name: str = IMITATION) -> Imitated:
        """Return what people would do, learned from their verdicts, and how often it is right."""
        from intel_ml.surfaces.lab.imitation import imitated  # noqa: PLC0415  # studies only

        model = self.model(name)
        with self.store.connection() as connection:
            names = frames.entity_names(connection)
        with working("imitation"):
            return imitated(log, model, newest=model.training.evaluation_share, names=names)

    def register_imitation(
        self, found: Imitated, *, name: str = IMITATION, account: str = ""
    ) -> models.Registered:
        """Register an imitation: if its gate passes it speaks wherever no policy does yet."""
        return models.register(
            self._desk(name), found.policy, alias=SHADOW, evidence=found.evidence, account=account
        )

    def compare_challenger(self, name: str, log: pd.DataFrame) -> Challenged:
        """Compare challenger and champion on what neither has seen, and record the evidence."""
        from intel_ml.surfaces.lab.challenger import compare_challenger  # noqa: PLC0415  # heavy

        with working("challenger"):
            return compare_challenger(self._desk(name), log)

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
