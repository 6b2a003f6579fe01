"""`connect()`: the one object through which a notebook reads, compares and registers.

Reads   this installation's settings, and through them its database and registry.
Gives   frames with data dictionaries, policies, archetypes, comparisons, registered versions, the
        current MLflow run.
Never   shows a URL or a secret; never acts on an account.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from intel_ml.core.errors import NotFoundError
from intel_ml.core.recommendations import IMITATION
from intel_ml.data.store import accounts as stored
from intel_ml.learning.registry import CHALLENGER, CHAMPION, SHADOW, Registry, Run
from intel_ml.learning.states import read_states
from intel_ml.learning.training import mark_used, new_policies, new_policy
from intel_ml.surfaces.lab import candidates as waiting
from intel_ml.surfaces.lab import frames, models, pictures
from intel_ml.surfaces.lab.candidates import Candidate
from intel_ml.surfaces.lab.progress import finish, when_kernel_ends, working
from intel_ml.surfaces.lab.reading import Reading
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
    from intel_ml.learning.selected import Selection
    from intel_ml.learning.simulation import Evaluation
    from intel_ml.surfaces.lab.autonomy import Study
    from intel_ml.surfaces.lab.beside import Beside
    from intel_ml.surfaces.lab.cases import Explained
    from intel_ml.surfaces.lab.challenger import Challenged
    from intel_ml.surfaces.lab.effects import Effects
    from intel_ml.surfaces.lab.imitation import Imitated
    from intel_ml.surfaces.lab.selection import Choice
    from intel_ml.surfaces.lab.worlds import StudyWorld

ARCHETYPES = "campaign-archetypes"
_STUDIES = "studies"
#: The share of a log that is kept to judge what was chosen, where no model.toml says.
_NEWEST = 0.3


def connect() -> Lab:
    """Return the door to the platform this notebook belongs to."""
    settings = load_settings()
    return Lab(
        settings=settings, store=open_store(settings), registry=Registry(settings.mlflow_url)
    )


@dataclass(frozen=True)
class Lab(Reading):
    """The running platform, as a notebook sees it."""

    settings: Settings
    registry: Registry
    _judged: list[tuple[Comparison, pd.DataFrame]] = field(default_factory=list, repr=False)
    _chosen: list[Selection] = field(default_factory=list, repr=False)

    def __repr__(self) -> str:
        return f"Lab({len(self.accounts())} accounts, platform time {self.now:%Y-%m-%d %H:%M} UTC)"

    @functools.cached_property
    def run(self) -> Run:
        """The MLflow run this notebook belongs to: the scheduler's, or a study of its own."""
        current = self.registry.current_run()
        if current is not None:
            return current
        opened = self.registry.open_run(_STUDIES, f"{self.now:%Y-%m-%d %H:%M}")
        when_kernel_ends(lambda: finish(self.registry, opened.id))
        return opened

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

    def explain(
        self,
        policy: Policy,
        entity: str,
        *,
        account: str = "",
        arm: str | None = None,
        k: int | None = None,
    ) -> Explained:
        """Return what a policy would do with one entity, why, and the most alike past cases.

        About another `arm`: why it might be, and what came of that.
        """
        from intel_ml.surfaces.lab.cases import explained  # noqa: PLC0415  # studies only

        with self.store.connection() as connection:
            found = read_states(connection, accounts=self._accounts(account), as_of=self.now)
            names = frames.entity_names(connection)
        return explained(policy, found, entity, arm=arm, k=k, names=names)

    def new_policy(self, name: str, *, seed: int = 0, candidate: str = "") -> Policy:
        """Return a policy models/NAME/model.toml describes, before it has learned anything.

        The first listed one, or the `candidate` of that name.
        """
        with self.store.session() as session:
            sharing = stored.sharing(session)
        return new_policy(self.model(name), seed=seed, sharing=sharing, candidate=candidate)

    def choose_policy(
        self,
        candidates: str | Mapping[str, Policy],
        log: pd.DataFrame,
        *,
        newest: float | None = None,
        seed: int = 0,
    ) -> Choice:
        """Return which of several policies to take, made from all but the `newest` share of a log.

        Either the name of a model, whose candidates are in its model.toml, or policies of your own
        by name, the plainest first. Judge the one that was taken on `.unseen`.
        """
        from intel_ml.learning.unseen import Plan  # noqa: PLC0415  # training only
        from intel_ml.surfaces.lab.selection import choose  # noqa: PLC0415  # training only

        plan, share = Plan(), _NEWEST if newest is None else newest
        if isinstance(candidates, str):
            model = self.model(candidates)
            plan = Plan(share=model.training.selection_share, steps=model.training.selection_steps)
            share = model.training.evaluation_share if newest is None else newest
            with self.store.session() as session:
                sharing = stored.sharing(session)
            candidates = new_policies(model, seed=seed, sharing=sharing)
        with working(f"{len(candidates)} candidates"):
            found = choose(candidates, log, newest=share, plan=plan)
        self._chosen.append(found.selection)
        self.run.log_metrics(found.selection.numbers)
        self.run.log_text("\n".join(found.selection.sentences), "candidates.txt")
        return found

    def split(self, log: pd.DataFrame, *, newest: float) -> models.Split:
        """Return a log cut in time: learn from `.older`, judge on `.newer`."""
        return models.split(log, newest=newest)

    def keep_candidate(
        self, policy: Policy, *, name: str, log: pd.DataFrame, account: str = ""
    ) -> None:
        """Keep a trained policy with this run, to be evaluated on what came after `log`."""
        waiting.keep_candidate(
            self.registry,
            policy,
            name=waiting.waiting_as(name, account),
            run=self.run,
            log=log,
            selection=self._selection_of(policy),
        )
        with self.store.connection() as connection:
            mark_used(connection, log, batch=self.run.id)

    def candidate(self, name: str, *, account: str = "") -> Candidate:
        """Return the newest trained policy of all accounts, or of one, that waits for judgement."""
        return waiting.candidate(self.registry, name, account=account)

    def compare(self, policy: Policy, against: str, log: pd.DataFrame) -> Comparison:
        """Return what `policy` would be worth beside "NAME@ALIAS", or beside what was done."""
        self.model(models.place_of(against)[0])
        with working("comparison"):
            report = models.compare(self.registry, policy, against=against, log=log)
        self._judged.append((report, log))
        return report

    def gate(
        self, name: str, *, report: Comparison, trained: Candidate | None = None
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
        trained: Candidate | None = None,
    ) -> models.Registered:
        """Register a policy with its evidence; `shadow` and `champion` ask their gate."""
        log = next((log for known, log in self._judged if known is report), None)
        chosen = self._selection_of(policy)
        evidence = models.evidence_of(
            report, log=log, trained=trained, selection=None if chosen is None else chosen.evidence
        )
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

    def _selection_of(self, policy: Policy) -> Selection | None:
        """Return how a policy was chosen, if it was chosen here."""
        return next((found for found in self._chosen if found.policy is policy), None)
