"""What the demo says at its end: what was done, how long it took, what was found, where to look.

Reads   the store and what the main job counted.
Gives   lines on a terminal.
Never   prints a number that was not counted or measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.core.ids import EntityType
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import (
    AutomationAction,
    Decision,
    EntityRow,
    EntityState,
    ModelVersion,
    TrainingRow,
)
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.surfaces.settings import Settings

_SHOWN = 3
_LEAST_CONVERSIONS = 5


def print_summary(
    console: Console, store: Store, settings: Settings, made: Mapping[str, Any], *, seconds: float
) -> None:
    """Print what the demo did and found."""
    with store.session() as session:
        console.print()
        console.print(_counts(session, made, seconds))
        console.print(_best_and_worst(session))
        archetypes = _archetypes(session)
        if archetypes is not None:
            console.print(archetypes)
        console.print(_models(session, settings))


def print_addresses(console: Console, settings: Settings, *, login: str, password: str) -> None:
    """Print where everything is and how to get in."""
    table = _table("It stays up until Ctrl-C")
    table.add_column("what")
    table.add_column("where", overflow="fold")
    table.add_row(
        "Approvals and dashboard", f"{settings.ui_url}   user {login}, password {password}"
    )
    table.add_row(
        "Predictions and REST API",
        f"{settings.api_url}   described by /docs.json and /api/openapi.json",
    )
    table.add_row("Models and notebook runs", settings.mlflow_url)
    table.add_row("The ad platform (simulated)", f"{settings.sandbox_url}/_sandbox/world")
    table.add_row("Notebooks", "intel-ml lab")
    table.add_row("How everything is", "intel-ml status")
    table.add_row("Let three days pass", "intel-ml sandbox advance --hours 72")
    console.print(table)


def _counts(session: Session, made: Mapping[str, Any], seconds: float) -> Table:
    play = made["play"]
    table = _table("What was done")
    table.add_column("what")
    table.add_column("how much", justify="right")
    table.add_column("note", overflow="fold")
    table.add_row("simulated days played", str(made["days"]), _seconds(play["seconds"]))
    table.add_row(
        "looks at accounts", f"{play['looks']:,}", f"{play['rows']:,} rows through the official SDK"
    )
    decisions = _count(session, Decision.decision_id)
    table.add_row(
        "decisions logged", f"{decisions:,}", f"{play['held_out']:,} held out to compare with"
    )
    verdicts = (
        f"{play['approved']} approved, {play['rejected']} rejected, {play['modified']} modified"
    )
    table.add_row("proposals", f"{play['proposals']:,}", verdicts)
    table.add_row(
        "changes made by the executor", f"{play['executed']:,}", "each read back from the platform"
    )
    longest = TrainingRow.horizon_hours == HORIZON_HOURS
    rewards = _count(session, TrainingRow.id, longest & TrainingRow.outcome_measured)
    rewarded = f"{rewards:,} with a measured outcome"
    table.add_row("training rows", f"{_count(session, TrainingRow.id, longest):,}", rewarded)
    notebooks = ", ".join(f"{name} {took:.0f} s" for name, took in made["notebooks"].items())
    table.add_row("notebooks run by Papermill", str(len(made["notebooks"])), notebooks)
    waiting = _count(
        session, AutomationAction.id, AutomationAction.status == ActionStatus.PENDING_APPROVAL
    )
    table.add_row(
        "proposals waiting for you",
        str(waiting),
        f"{made['cycle']['checked']} entities were checked",
    )
    table.add_row("this start", f"{seconds:.0f} s", "")
    return table


def _best_and_worst(session: Session) -> Table:
    rows = session.execute(
        select(EntityRow.name, EntityState.ad_account_id, EntityState.state)
        .join(
            EntityState,
            (EntityState.ad_account_id == EntityRow.ad_account_id)
            & (EntityState.entity_type == EntityRow.entity_type)
            & (EntityState.entity_id == EntityRow.entity_id),
        )
        .where(EntityRow.entity_type == EntityType.ADSET, EntityRow.effective_status == "ACTIVE")
    ).all()
    judged = sorted(
        (row for row in rows if _is_judged(row)), key=lambda row: float(row.state["cpa_ratio"])
    )
    table = Table(
        box=box.SIMPLE_HEAD,
        title="Best and worst ad sets, last 3 days",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("ad set", overflow="fold")
    table.add_column("account")
    for name in ("CPA against target", "ROAS"):
        table.add_column(name, justify="right")
    for row in [*judged[:_SHOWN], *judged[-_SHOWN:]]:
        roas = row.state.get("roas")
        table.add_row(
            row.name,
            row.ad_account_id,
            f"{row.state['cpa_ratio']:.0%}",
            "unknown" if roas is None else f"{roas:.2f}",
        )
    return table


def _is_judged(row: Row[Any]) -> bool:
    state = row.state
    return (
        state.get("cpa_ratio") is not None
        and (state.get("conversions_7d") or 0) >= _LEAST_CONVERSIONS
    )


def _archetypes(session: Session) -> Table | None:
    newest = select(func.max(Decision.as_of)).scalar_subquery()
    rows = session.execute(
        select(Decision.archetype, func.count())
        .where(Decision.as_of == newest, Decision.archetype.is_not(None))
        .group_by(Decision.archetype)
        .order_by(func.count().desc())
    ).all()
    if not rows:
        return None
    table = Table(
        box=box.SIMPLE_HEAD,
        title="Archetypes at the last decision",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("archetype")
    table.add_column("entities", justify="right")
    for name, count in rows:
        table.add_row(name, str(count))
    return table


def _models(session: Session, settings: Settings) -> Table:
    newest = select(func.max(ModelVersion.id)).group_by(ModelVersion.name, ModelVersion.version)
    rows = session.scalars(
        select(ModelVersion)
        .where(ModelVersion.id.in_(newest))
        .order_by(ModelVersion.name, ModelVersion.id)
    )
    table = _table("Models")
    for name in ("model", "version", "status"):
        table.add_column(name)
    table.add_column("evidence", overflow="fold")
    for row in rows:
        table.add_row(row.name, row.version, row.status, row.status_reason or "")
    agreement = _agreement(session)
    mode = "shadow: rules are shown, the policy is logged" if settings.ml_shadow_mode else "live"
    table.caption = f"Mode {mode}. {agreement}"
    table.caption_justify = "left"
    return table


def _agreement(session: Session) -> str:
    newest = (
        select(ModelVersion.evaluation)
        .where(ModelVersion.name == "campaign-policy", ModelVersion.evaluation.is_not(None))
        .order_by(ModelVersion.id.desc())
        .limit(1)
    )
    evaluation = session.execute(newest).scalar()
    rate = ((evaluation or {}).get("numbers") or {}).get("agreement")
    if rate is None:
        return "Agreement of policy and approver is not known yet."
    return f"Policy and approver agree on {rate:.0%} of what was proposed."


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)


def _count(session: Session, column: Any, condition: Any = None) -> int:
    statement = select(func.count(column))
    if condition is not None:
        statement = statement.where(condition)
    return int(session.execute(statement).scalar_one())


def _seconds(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {took:.1f} s" for name, took in parts.items())
