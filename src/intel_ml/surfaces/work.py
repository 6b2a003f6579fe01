"""The built-in jobs: look, decide, measure, watch, score. Notebooks are the other kind of job.

Reads   `Settings`, and what each stage needs.
Gives   `job_context`: everything a run may use, the jobs by name among it.
Never   does a stage's work itself: a job is a few calls and the counts they return.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intel_ml.core.accounts import Account
from intel_ml.core.errors import PlatformError
from intel_ml.core.recommendations import Mode
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.api.models import POLICY, ModelKeeper, loader
from intel_ml.surfaces.jobs import JobContext, JobResult
from intel_ml.surfaces.platform import limits_of, open_reader, open_store
from intel_ml.surfaces.settings import Settings


def job_context(settings: Settings, *, store: Store | None = None) -> JobContext:
    """Return what a run may use; `store` is opened when none is given."""
    opened = store or open_store(settings)
    return JobContext(
        settings=settings,
        store=opened,
        registry=Registry(settings.mlflow_url),
        jobs={
            "collect": collect,
            "decide": decide,
            "measure-outcomes": measure_outcomes,
            "score-accounts": score_accounts,
            "watch-champion": watch_champion,
        },
        notify=lambda result: _tell(opened, result),
    )


def collect(context: JobContext) -> Mapping[str, Any]:
    """Look at every account; a failing one does not stop the others."""
    from intel_ml.data.collection.collect import collect_all  # noqa: PLC0415  # the SDK is heavy
    from intel_ml.data.collection.plan import Reach  # noqa: PLC0415

    settings = context.settings
    if not settings.enable_insights_collection:
        return {"skipped": "ENABLE_INSIGHTS_COLLECTION is false"}
    if settings.uses_sandbox:
        _follow_sandbox(context)
    now = context.store.now()
    reach = Reach(initial_days=settings.initial_historical_days)
    reports = collect_all(
        context.store, open_reader(settings), _accounts(context), now=now, reach=reach
    )
    if reports and all(report.status == "failed" for report in reports):
        raise PlatformError(f"No account could be read. {reports[0].message}")
    return {
        "accounts": len(reports),
        "rows": sum(r.rows for r in reports),
        "calls": sum(r.calls for r in reports),
        "quarantined": sum(r.quarantined for r in reports),
        "problems": [f"{r.account_id}: {r.message}" for r in reports if r.status != "done"],
    }


def decide(context: JobContext) -> Mapping[str, Any]:
    """Let rules and policy decide about every entity of every account."""
    return decide_all(context)


def decide_all(context: JobContext) -> dict[str, int]:
    """Decide once for every account; return how much of what there was."""
    from intel_ml.operations.decisions import decide as decide_account  # noqa: PLC0415  # heavy

    settings = context.settings
    if not settings.enable_rules_engine:
        return {"decisions": 0}
    models = ModelKeeper(loader(context.store, settings)).check()
    counts = {"checked": 0, "decisions": 0, "proposals": 0, "held_out": 0, "with_policy": 0}
    for account in _accounts(context):
        report = decide_account(
            context.store,
            account,
            now=context.store.now(),
            limits=limits_of(settings),
            policy=models.policy,
            challenger=models.challenger,
            archetypes=models.archetypes,
            mode=models.mode(Mode.SHADOW if settings.ml_shadow_mode else account.mode),
        )
        counts["checked"] += report.checked
        counts["decisions"] += report.decisions
        counts["proposals"] += report.proposals
        counts["held_out"] += report.held_out
        counts["with_policy"] += report.decisions if models.policy is not None else 0
    return counts


def measure_outcomes(context: JobContext) -> Mapping[str, Any]:
    """Make training rows of decisions, and measure those that have ripened."""
    from intel_ml.learning.feedback import measure, record  # noqa: PLC0415  # heavy

    now = context.store.now()
    recorded = measured = 0
    for account in _accounts(context):
        with context.store.connection() as connection:
            recorded += record(connection, account=account, now=now)
        measured += measure(context.store, account=account, now=now)
    return {"recorded": recorded, "measured": measured}


def watch_champion(context: JobContext, model: str = POLICY) -> Mapping[str, Any]:
    """Take the champion out of service if decisions since its promotion prove it worse."""
    from intel_ml.learning.gates import read_model  # noqa: PLC0415  # heavy
    from intel_ml.learning.promotion import Lives  # noqa: PLC0415
    from intel_ml.learning.watching import watch_champion as watch  # noqa: PLC0415
    from intel_ml.reporting.notifications import notify  # noqa: PLC0415

    described = read_model(context.settings.project / "models" / model)
    found = watch(Lives(context.registry, context.store, described), now=context.store.now())
    if found.is_demoted:
        with context.store.session() as session:
            for account in stored.accounts(session):
                notify(
                    session,
                    account_id=account.id,
                    type="alert",
                    severity="warning",
                    title=f"{model} version {found.version} was taken out of service",
                    message=f"Rules alone decide until there is another champion. "
                    f"{found.why.capitalize()}, in {found.decisions:,} decisions since its "
                    f"promotion. `intel-ml models show {model} {found.version}` has all of it.",
                    key=f"demoted {model} {found.version} {context.store.now():%Y-%m-%d}",
                )
    return {
        "model": model,
        "version": found.version,
        "demoted": found.is_demoted,
        "decisions": found.decisions,
        "why": found.why,
        "numbers": dict(found.numbers),
    }


def score_accounts(context: JobContext) -> Mapping[str, Any]:
    """Score every account and learn its patterns."""
    from intel_ml.reporting.scoring import refresh  # noqa: PLC0415  # heavy

    for account in _accounts(context):
        refresh(context.store, account, now=context.store.now())
    return {"accounts": len(_accounts(context))}


def _accounts(context: JobContext) -> list[Account]:
    with context.store.session() as session:
        return [a for a in stored.accounts(session) if a.source == "api"]


def _follow_sandbox(context: JobContext) -> None:
    from intel_ml.surfaces.simulated import SandboxClock, follow  # noqa: PLC0415  # only with a sandbox

    follow(context.store, SandboxClock(context.settings.sandbox_url).now())


def _tell(store: Store, result: JobResult) -> None:
    """Notify everyone that a run failed."""
    from intel_ml.reporting.notifications import notify  # noqa: PLC0415  # heavy

    with store.session() as session:
        for account in stored.accounts(session):
            notify(
                session,
                account_id=account.id,
                type="system",
                severity="error",
                title=f"{result.name} failed",
                message=result.message or "No reason was given.",
            )
