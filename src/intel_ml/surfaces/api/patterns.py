"""Learned patterns over HTTP (the plan's section 5.5), and learning them again.

Reads   patterns as stored.
Gives   patterns with their evidence; a job that can be asked about.
Never   keeps a caller waiting for the learning.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from sqlalchemy import select

from intel_ml.core.errors import ConflictError, IntelError, NotFoundError
from intel_ml.core.recommendations import Role
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import JobRun, LearnedPattern
from intel_ml.reporting.patterns import pattern_sentence
from intel_ml.surfaces.api.callers import (
    LARGEST_ID,
    AccountId,
    Caller,
    ThePlatform,
    visible_account,
    visible_accounts,
)
from intel_ml.surfaces.api.schemas import JobOut, PatternList, PatternOut, PatternType

router = APIRouter(prefix="/api/intelligence/patterns", tags=["patterns"])

JOB = "refresh-patterns"
LEASE = timedelta(minutes=10)

log = structlog.get_logger(__name__)


@router.get("")
def list_patterns(
    person: Caller, platform: ThePlatform, account_id: AccountId = None
) -> PatternList:
    """Return what was learned, surest first."""
    return _patterns(platform.store, visible_accounts(person, account_id), pattern_type=None)


@router.get("/jobs/{job_id}")
def refresh_status(
    job_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], person: Caller, platform: ThePlatform
) -> JobOut:
    """Return how far a refresh is."""
    with platform.store.session() as session:
        row = session.get(JobRun, job_id)
        accounts = row.parameters.get("accounts", []) if row and row.name == JOB else []
        if row is None or not accounts or not set(accounts) <= set(person.accounts):
            raise NotFoundError(f"There is no refresh {job_id} of yours.")
        return _job(row)


@router.get("/{pattern_type}")
def patterns_of_type(
    pattern_type: PatternType, person: Caller, platform: ThePlatform, account_id: AccountId = None
) -> PatternList:
    """Return the patterns of one type."""
    return _patterns(
        platform.store, visible_accounts(person, account_id), pattern_type=pattern_type
    )


@router.post("/refresh", status_code=202)
def refresh_patterns(person: Caller, platform: ThePlatform, account_id: AccountId = None) -> JobOut:
    """Learn the patterns and the score again, in the background; poll `/patterns/jobs/{id}`."""
    accounts = [
        visible_account(person, account, role=Role.OPERATOR)
        for account in visible_accounts(person, account_id)
        if account_id is not None or person.may(Role.OPERATOR, account)
    ]
    if not accounts:
        raise NotFoundError(
            "There is no account for which you may do this.", hint="It needs 'operator'."
        )
    job = _claimed(platform.store, accounts)
    threading.Thread(
        target=_refresh, args=(platform.store, job.id, accounts), name=JOB, daemon=True
    ).start()
    return job


def _patterns(
    store: Store, accounts: Sequence[str], *, pattern_type: PatternType | None
) -> PatternList:
    wanted = (
        select(LearnedPattern)
        .where(LearnedPattern.ad_account_id.in_(accounts), LearnedPattern.is_active)
        .order_by(LearnedPattern.confidence_score.desc(), LearnedPattern.id)
    )
    if pattern_type is not None:
        wanted = wanted.where(LearnedPattern.pattern_type == pattern_type)
    with store.session() as session:
        rows = session.scalars(wanted)
        return PatternList(patterns=[_out(row) for row in rows])


def _out(row: LearnedPattern) -> PatternOut:
    columns = set(PatternOut.model_fields) - {"account_id", "says"}
    return PatternOut.model_validate(
        {name: getattr(row, name) for name in columns}
        | {
            "account_id": row.ad_account_id,
            "says": pattern_sentence(row.pattern_type, row.pattern_data),
        }
    )


def _claimed(store: Store, accounts: Sequence[str]) -> JobOut:
    """Return a new job, unless one for any of these accounts is still running under its lease."""
    with store.session() as session:
        now = platform_now(session)
        running = session.scalars(
            select(JobRun).where(
                JobRun.name == JOB, JobRun.status == "running", JobRun.lease_until > now
            )
        )
        busy = next(
            (row for row in running if set(row.parameters["accounts"]) & set(accounts)), None
        )
        if busy is not None:
            raise ConflictError(
                f"Job {busy.id} has been learning since {busy.started_at:%H:%M} UTC.",
                hint=f"GET /api/intelligence/patterns/jobs/{busy.id} tells when it is done.",
            )
        row = JobRun(
            name=JOB,
            slot=uuid.uuid4().hex,
            status="running",
            worker=f"api-{os.getpid()}",
            lease_until=now + LEASE,
            started_at=now,
            parameters={"accounts": list(accounts)},
        )
        session.add(row)
        session.flush()
        return _job(row)


def _refresh(store: Store, job_id: int, accounts: Sequence[str]) -> None:
    """Do the job and write down how it ended; the row's lease covers what even that cannot."""
    try:
        message = _learned(store, accounts)
        with store.session() as session:
            row = session.get_one(JobRun, job_id)
            row.status, row.message = "failed" if message else "done", message
            row.ended_at = platform_now(session)
    except Exception:  # a thread has nobody above it
        log.exception("job not finished", job=job_id)


def _learned(store: Store, accounts: Sequence[str]) -> str | None:
    """Learn every account's patterns again; return what went wrong, None when nothing did."""
    try:
        from intel_ml.reporting.scoring import refresh  # noqa: PLC0415  # loads pandas

        for account_id in accounts:
            with store.session() as session:
                account, now = stored_account(session, account_id), platform_now(session)
            refresh(store, account, now=now)
    except IntelError as error:
        return str(error)
    except Exception:
        log.exception("patterns not learned")
        return "Something failed on our side; the service's log tells more."
    return None


def _job(row: JobRun) -> JobOut:
    return JobOut.model_validate({name: getattr(row, name) for name in JobOut.model_fields})
