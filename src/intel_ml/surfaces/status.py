"""How the platform is, on one screen.

Reads   the database, and whether each process answers.
Gives   `Status`: processes, accounts with the limits used, last runs, models, the switch.
Never   starts or changes anything.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import (
    ActionEvent,
    AutomationAction,
    CollectionRun,
    JobRun,
    ModelVersion,
    Switch,
)
from intel_ml.surfaces.platform import running_store
from intel_ml.surfaces.processes import process_names
from intel_ml.surfaces.settings import LOOPBACK, Settings

_HOUR = timedelta(hours=1)
_LAST_RUNS = 12


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process; those without an address answer only in the log."""

    name: str
    state: str
    address: str


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account: how fresh, how much waits, how much of the hourly limit is used."""

    account: str
    mode: str
    last_look: str
    pending: int
    changes_last_hour: int
    limit: int


@dataclass(frozen=True, slots=True)
class RunState:
    """The last run of one job."""

    name: str
    when: str
    state: str
    took: str
    message: str


@dataclass(frozen=True, slots=True)
class ModelState:
    """The newest word on one model version."""

    name: str
    version: str
    aliases: str
    status: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything an operator looks at first."""

    now: datetime
    acting: bool
    acting_reason: str
    processes: tuple[ProcessState, ...]
    accounts: tuple[AccountState, ...]
    runs: tuple[RunState, ...]
    models: tuple[ModelState, ...]


def read_status(settings: Settings) -> Status:
    """Return how the platform is right now."""
    with running_store(settings).session() as session:
        now = platform_now(session)
        switch = session.scalar(select(Switch).order_by(Switch.set_at.desc()).limit(1))
        acting = settings.enable_action_executor and switch is not None and switch.is_on
        return Status(
            now=now,
            acting=acting,
            acting_reason=_why(settings, switch),
            processes=_processes(settings),
            accounts=_accounts(session, settings, now),
            runs=_runs(session),
            models=_models(session),
        )


def _why(settings: Settings, switch: Switch | None) -> str:
    if not settings.enable_action_executor:
        return "ENABLE_ACTION_EXECUTOR is false"
    if switch is None:
        return "the switch was never set; `intel-ml revive --reason …` sets it"
    return f"{switch.reason} ({switch.set_by}, {switch.set_at:%Y-%m-%d %H:%M} UTC)"


def _processes(settings: Settings) -> tuple[ProcessState, ...]:
    ports = {
        "sandbox": settings.intel_sandbox_port,
        "mlflow": settings.intel_mlflow_port,
        "api": settings.intel_api_port,
        "ui": settings.intel_ui_port,
    }
    return tuple(
        ProcessState(name, _listens(ports[name]), f"http://{LOOPBACK}:{ports[name]}")
        if name in ports
        else ProcessState(
            name, "see the runs below" if name == "scheduler" else "see the changes below", ""
        )
        for name in process_names(settings)
    )


def _listens(port: int) -> str:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return "up" if probe.connect_ex((LOOPBACK, port)) == 0 else "down"


def _accounts(session: Session, settings: Settings, now: datetime) -> tuple[AccountState, ...]:
    pending = dict(
        session.execute(
            select(AutomationAction.ad_account_id, func.count())
            .where(AutomationAction.status == ActionStatus.PENDING_APPROVAL)
            .group_by(AutomationAction.ad_account_id)
        )
        .tuples()
        .all()
    )
    looks = dict(
        session.execute(
            select(CollectionRun.ad_account_id, func.max(CollectionRun.as_of))
            .where(CollectionRun.status != "failed")
            .group_by(CollectionRun.ad_account_id)
        )
        .tuples()
        .all()
    )
    used = dict(
        session.execute(
            select(ActionEvent.ad_account_id, func.count())
            .where(ActionEvent.kind == "intent", ActionEvent.at > now - _HOUR)
            .group_by(ActionEvent.ad_account_id)
        )
        .tuples()
        .all()
    )
    return tuple(
        AccountState(
            account=a.id,
            mode=a.mode,
            last_look=_ago(looks.get(a.id), now),
            pending=pending.get(a.id, 0),
            changes_last_hour=used.get(a.id, 0),
            limit=settings.max_auto_actions_per_hour,
        )
        for a in stored.accounts(session)
    )


def _runs(session: Session) -> tuple[RunState, ...]:
    newest = select(func.max(JobRun.id)).group_by(JobRun.name)
    rows = session.scalars(
        select(JobRun)
        .where(JobRun.id.in_(newest))
        .order_by(JobRun.started_at.desc())
        .limit(_LAST_RUNS)
    )
    return tuple(
        RunState(
            name=r.name,
            when=f"{r.started_at:%Y-%m-%d %H:%M}",
            state=r.status,
            took=f"{(r.ended_at - r.started_at).total_seconds():.1f} s" if r.ended_at else "",
            message=(r.message or "")[:80],
        )
        for r in rows
    )


def _models(session: Session) -> tuple[ModelState, ...]:
    newest = select(func.max(ModelVersion.id)).group_by(ModelVersion.name, ModelVersion.version)
    rows = session.scalars(
        select(ModelVersion).where(ModelVersion.id.in_(newest)).order_by(ModelVersion.id.desc())
    )
    return tuple(ModelState(r.name, r.version, r.status_reason or "", r.status) for r in rows)


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    minutes = int((now - moment).total_seconds() // 60)
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"  # noqa: PLR2004  # two hours in minutes
