"""The executor's only caller: wakes when something is approved, and once a second in any case.

Reads   the approved and the left-behind actions of every account.
Gives   how many reached an end.
Never   runs where it is not enabled, or where the switch is off or cannot be read.
"""

from __future__ import annotations

import threading
import time

import psycopg
import structlog
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import UnavailableError
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import AutomationAction
from intel_ml.operations import proposals, switches
from intel_ml.operations.access import WriteAccess
from intel_ml.operations.approvals import CHANNEL
from intel_ml.operations.executor import Bench, work_on
from intel_ml.operations.limits import Limits
from intel_ml.operations.meta_writer import MetaWriter

__all__ = ["WriteAccess", "drain", "run"]

log = structlog.get_logger()

POLL_S = 1.0
EXPIRE_EVERY_S = 30.0


def run(
    store: Store, write: WriteAccess, limits: Limits, *, enabled: bool, stop: threading.Event
) -> None:
    """Work until `stop` is set; a database that goes away is waited for."""
    while not stop.is_set():
        try:
            with psycopg.connect(_plain_url(store), autocommit=True) as ear:
                ear.execute(f"LISTEN {CHANNEL}")
                _work(store, write, limits, enabled=enabled, stop=stop, ear=ear)
        except (DBAPIError, UnavailableError, psycopg.Error) as error:
            log.warning("database away, nothing acts", error=type(error).__name__)
            stop.wait(POLL_S)


def drain(store: Store, write: WriteAccess, limits: Limits, *, enabled: bool) -> int:
    """Carry out what is approved, account by account; return how many actions reached an end."""
    if not enabled:
        return 0
    with store.session() as session:
        if not switches.acting_allowed(session):
            return 0
        accounts = session.scalars(
            select(AutomationAction.ad_account_id)
            .where(AutomationAction.status.in_((ActionStatus.APPROVED, ActionStatus.EXECUTING)))
            .distinct()
            .order_by(AutomationAction.ad_account_id)
        ).all()
    if not accounts:
        return 0
    bench = Bench(store, MetaWriter(write), limits)
    return sum(_work_on(bench, account) for account in accounts)


def _work_on(bench: Bench, account_id: str) -> int:
    """Work on one account; what is wrong with it must not keep the others waiting."""
    try:
        return work_on(bench, account_id)
    except (DBAPIError, UnavailableError):
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this account's only
        log.warning("account skipped", account=account_id, error=f"{type(error).__name__}: {error}")
        return 0


def _work(  # noqa: PLR0913  # what `run` was given, and the connection that listens
    store: Store,
    write: WriteAccess,
    limits: Limits,
    *,
    enabled: bool,
    stop: threading.Event,
    ear: psycopg.Connection[tuple[object, ...]],
) -> None:
    """Carry out what there is, then wait for an approval, a second at most."""
    expired_at = float("-inf")
    while not stop.is_set():
        if time.monotonic() - expired_at > EXPIRE_EVERY_S:
            with store.session() as session:
                proposals.expire(session, now=platform_now(session))
            expired_at = time.monotonic()
        if drain(store, write, limits, enabled=enabled) == 0:
            for _ in ear.notifies(timeout=POLL_S, stop_after=1):
                break


def _plain_url(store: Store) -> str:
    return make_url(store.url).set(drivername="postgresql").render_as_string(hide_password=False)
