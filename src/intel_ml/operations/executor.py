"""One approved action, once: ask every guard, write down the intent, send, read back.

Reads   approved actions, and each entity on the platform right before and right after its change.
Gives   executed, failed, needs review; or the action back in the queue with the reason.
Never   sends before the intent is committed, and never sends again before it has read.

Whoever works on an account holds its lock, a session lock that dies with the process. What is found
`executing` under that lock was left behind, and is settled by reading the platform: the new value
is ours, the old one means that nothing was applied, anything else needs a person.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus, ActionType
from intel_ml.core.errors import (
    IntelError,
    PlatformError,
    RefusedChangeError,
    ThrottledError,
    TokenError,
    UnavailableError,
)
from intel_ml.core.ids import EntityType
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import ActionEvent, AutomationAction
from intel_ml.operations import guards, outcomes, switches
from intel_ml.operations.facts import Change, Seen, change_of, facts
from intel_ml.operations.journal import EXECUTOR, PLATFORM, Entry, move, write
from intel_ml.operations.limits import Limits
from intel_ml.operations.meta_writer import MetaWriter, changes_of
from intel_ml.operations.values import touches_same

log = structlog.get_logger()

MOST_ATTEMPTS = 2
_UNREACHABLE_WAIT = timedelta(seconds=30)
_TOKEN_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the executor works with.

    `settle_s` is how long an unanswered change may still be on its way.
    """

    store: Store
    writer: MetaWriter
    limits: Limits
    settle_s: float = 1.0


@dataclass(frozen=True, slots=True)
class _Job:
    """One change under the account's lock."""

    bench: Bench
    lock: Connection
    change: Change


def work_on(bench: Bench, account_id: str) -> int:
    """Carry out what is approved for one account; return how many actions reached an end.

    Returns 0 at once when another process works on the account.
    """
    with _account_lock(bench.store, account_id) as lock:
        if lock is None:
            return 0
        ended = sum(_settle_left_behind(bench, lock, account_id))
        while (change := _next(bench, account_id)) is not None:
            ended += _carry_out(_Job(bench, lock, change))
        return ended


def _settle_left_behind(bench: Bench, lock: Connection, account_id: str) -> Iterator[int]:
    with bench.store.session() as session:
        rows = session.scalars(
            select(AutomationAction).where(
                AutomationAction.ad_account_id == account_id,
                AutomationAction.status == ActionStatus.EXECUTING,
            )
        )
        changes = [change_of(row) for row in rows]
    for change in changes:
        log.info("settling what was left behind", action=change.action_id, account=account_id)
        yield _settle(_Job(bench, lock, change), is_answered=False)


def _next(bench: Bench, account_id: str) -> Change | None:
    """Return the approved action that has waited longest and need not wait longer."""
    retry_at = text(
        "coalesce((execution_result ->> 'retry_at')::timestamptz, '-infinity') <= intel_now()"
    )
    with bench.store.session() as session:
        row = session.scalar(
            select(AutomationAction)
            .where(
                AutomationAction.ad_account_id == account_id,
                AutomationAction.status == ActionStatus.APPROVED,
                retry_at,
            )
            .order_by(AutomationAction.approved_at, AutomationAction.id)
            .limit(1)
        )
        return None if row is None else change_of(row)


def _carry_out(job: _Job) -> int:
    try:
        seen, parent = _look(job)
    except RefusedChangeError as error:
        return outcomes.fail(job.bench.store, job.change, why=str(error))
    except TokenError as error:
        return outcomes.stop_account(job.bench.store, job.change, why=str(error), wait=_TOKEN_WAIT)
    except IntelError as error:
        return outcomes.wait(job.bench.store, job.change, why=str(error), wait=_wait_of(error))
    return _send(job, attempt=1) if _claim(job, seen=seen, parent=parent) else 0


def _look(job: _Job) -> tuple[Seen, Seen | None]:
    change, writer = job.change, job.bench.writer
    currency = change.before.currency
    seen = writer.read(change.entity_type, change.entity_id, currency=currency)
    if change.entity_type is EntityType.CAMPAIGN:
        return seen, None
    if change.entity_type is EntityType.ADSET and seen.campaign_id:
        return seen, writer.read(EntityType.CAMPAIGN, seen.campaign_id, currency=currency)
    if change.action.type is ActionType.ACTIVATE and seen.adset_id:
        return seen, writer.read(EntityType.ADSET, seen.adset_id, currency=currency)
    return seen, None


def _claim(job: _Job, *, seen: Seen, parent: Seen | None) -> bool:
    """Take the approval under a lock, ask every guard, and commit the intent.

    False when the action may not go on.
    """
    with job.bench.store.session() as session:
        row = session.scalar(
            select(AutomationAction)
            .where(
                AutomationAction.ad_account_id == job.change.account_id,
                AutomationAction.id == job.change.action_id,
                AutomationAction.status == ActionStatus.APPROVED,
            )
            .with_for_update(skip_locked=True)
        )
        if row is None or change_of(row) != job.change:
            return False
        now = platform_now(session)
        known = facts(session, job.change, seen=seen, parent=parent, now=now)
        refusal = guards.first_refusal(known, job.bench.limits)
        if refusal is not None:
            outcomes.refuse(session, row, refusal, now=now)
            return False
        move(session, row, ActionStatus.EXECUTING, at=now, actor=EXECUTOR)
        _write_intent(session, row, job.change, attempt=1, now=now)
    return True


def _send(job: _Job, *, attempt: int) -> int:  # noqa: PLR0911  # one line for each kind of answer
    """Send the change.

    The lock's own connection proves that the lock is still held and that acting is still allowed.
    """
    store, change = job.bench.store, job.change
    if not switches.acting_allowed(job.lock):
        return outcomes.put_back(
            store, change, why="The kill switch is off: nothing acts.", wait=guards.RETRY
        )
    began = time.monotonic()
    try:
        answer = job.bench.writer.write(
            change.entity_id, changes_of(change.action.type, change.after)
        )
    except ThrottledError as error:
        return outcomes.put_back(store, change, why=str(error), wait=_wait_of(error))
    except UnavailableError as error:
        return outcomes.put_back(store, change, why=str(error), wait=_UNREACHABLE_WAIT)
    except TokenError as error:
        outcomes.put_back(store, change, why=str(error), wait=_TOKEN_WAIT)
        return outcomes.stop_account(store, change, why=str(error), wait=_TOKEN_WAIT)
    except RefusedChangeError as error:
        return outcomes.fail(store, change, why=str(error))
    except PlatformError as error:
        _note(job, "answer", {"error": str(error), "attempt": attempt})
        return _settle(job, is_answered=False)
    took_ms = round(1000 * (time.monotonic() - began))
    _note(job, "answer", {"answer": answer, "attempt": attempt, "took_ms": took_ms})
    return _settle(job, is_answered=True)


def _settle(job: _Job, *, is_answered: bool) -> int:
    """Read the platform and conclude: ours, not applied, or somebody else's."""
    change = job.change
    try:
        seen = _read_back(job)
        if not is_answered and touches_same(seen.value, change.before, change.action.type):
            time.sleep(job.bench.settle_s)
            seen = _read_back(job)
    except IntelError as error:
        log.warning("read back failed", action=change.action_id, error=str(error))
        return 0
    if touches_same(seen.value, change.after, change.action.type):
        return outcomes.execute(job.bench.store, change, read=seen.value)
    if not touches_same(seen.value, change.before, change.action.type):
        why = f"After the change the platform says {seen.value}, neither the old value nor ours."
        return outcomes.review(job.bench.store, change, why=why)
    attempt = _attempts(job) + 1
    if is_answered or attempt > MOST_ATTEMPTS:
        why = f"The platform still says {seen.value} after {attempt - 1} tries."
        return outcomes.review(job.bench.store, change, why=why)
    return _try_again(job, attempt=attempt)


def _try_again(job: _Job, *, attempt: int) -> int:
    with job.bench.store.session() as session:
        row = session.get_one(AutomationAction, (job.change.account_id, job.change.action_id))
        _write_intent(session, row, job.change, attempt=attempt, now=platform_now(session))
    return _send(job, attempt=attempt)


def _read_back(job: _Job) -> Seen:
    change = job.change
    seen = job.bench.writer.read(
        change.entity_type, change.entity_id, currency=change.before.currency
    )
    _note(job, "read_back", {"read": str(seen.value), **seen.value.as_json()})
    return seen


def _attempts(job: _Job) -> int:
    with job.bench.store.session() as session:
        statement = select(func.count()).where(
            ActionEvent.ad_account_id == job.change.account_id,
            ActionEvent.action_id == job.change.action_id,
            ActionEvent.kind == "intent",
        )
        return session.scalar(statement) or 0


def _write_intent(
    session: Session, row: AutomationAction, change: Change, *, attempt: int, now: datetime
) -> None:
    request = {
        "method": "POST",
        "path": f"/{change.entity_id}",
        "params": changes_of(change.action.type, change.after),
    }
    intent = {
        "key": change.key,
        "attempt": attempt,
        "before": change.before.as_json(),
        "after": change.after.as_json(),
    }
    write(session, row, Entry(now, EXECUTOR, "intent", intent))
    write(
        session,
        row,
        Entry(now, EXECUTOR, "request", {"key": change.key, "attempt": attempt, **request}),
    )


def _note(job: _Job, kind: str, detail: dict[str, object]) -> None:
    with job.bench.store.session() as session:
        row = session.get_one(AutomationAction, (job.change.account_id, job.change.action_id))
        write(session, row, Entry(platform_now(session), PLATFORM, kind, detail))


def _wait_of(error: IntelError) -> timedelta:
    told = error.retry_after_s if isinstance(error, PlatformError) else None
    return _UNREACHABLE_WAIT if told is None else timedelta(seconds=told)


@contextmanager
def _account_lock(store: Store, account_id: str) -> Iterator[Connection | None]:
    """Give the connection that holds the account's lock, None while somebody else holds it."""
    key = {"key": f"executor:{account_id}"}
    with store.engine.connect() as connection:
        lock = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not lock.execute(
            text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key
        ).scalar():
            yield None
            return
        try:
            yield lock
            lock.execute(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key)
        except BaseException:
            # A closed connection gives its locks back, whatever state it is in; one returned to
            # the pool would keep them.
            lock.detach()
            raise
