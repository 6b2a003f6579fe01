"""One row a run: whoever holds its lease runs it, nobody else.

Reads   `intel_job_run`.
Gives   a claim or none; a lease that renews itself while the run goes on; the result, written by
        the holder only.
Never   lets two workers run one slot: the unique key (name, slot) and the lease decide, in the
        database's own time.

Moments of a run are the platform's; leases are real time, because simulated time jumps.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from intel_ml.data.store.sessions import Store

LEASE_S = 60.0
_RENEW_SHARE = 3.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one slot of one schedule."""

    run: int
    name: str
    slot: str
    worker: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    status: str
    message: str = ""
    run_id: str | None = None
    result: Mapping[str, Any] | None = None


def claim(
    store: Store, *, name: str, slot: str, parameters: Mapping[str, Any], lease_s: float = LEASE_S
) -> Lease | None:
    """Return the lease for a slot, None when it was run or is held by someone alive."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    values = {
        "name": name,
        "slot": slot,
        "worker": worker,
        "lease": lease_s,
        "parameters": dict(parameters),
    }
    with store.connection() as connection:
        row = connection.execute(_CLAIM, values).one_or_none()
    return Lease(int(row.id), name, slot, worker) if row else None


@contextmanager
def renewing(store: Store, lease: Lease, *, lease_s: float = LEASE_S) -> Iterator[None]:
    """Renew the lease a few times in each period until the block ends."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lease_s / _RENEW_SHARE):
            with store.connection() as connection:
                connection.execute(
                    _RENEW, {"id": lease.run, "worker": lease.worker, "lease": lease_s}
                )

    thread = threading.Thread(target=renew, name=f"lease-{lease.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def end(store: Store, lease: Lease, *, ending: Ending) -> bool:
    """Write how the run ended; False when someone else has taken the run over meanwhile."""
    values = {
        "id": lease.run,
        "worker": lease.worker,
        "status": ending.status,
        "message": ending.message,
        "run_id": ending.run_id,
        "result": None if ending.result is None else dict(ending.result),
    }
    with store.connection() as connection:
        return connection.execute(_END, values).rowcount == 1


def statuses(store: Store, slots: Mapping[str, datetime]) -> dict[str, str]:
    """Return how each slot stands: running, done, failed.

    Absent are those that were not started, or whose worker died: they may be claimed.
    """
    with store.connection() as connection:
        rows = connection.execute(
            text(
                "SELECT name, r.status FROM intel_job_run r "
                "JOIN unnest(CAST(:names AS text[]), CAST(:slots AS text[])) AS wanted(name, slot) "
                "USING (name, slot) "
                "WHERE r.status <> 'running' OR r.lease_until >= clock_timestamp()"
            ),
            {"names": list(slots), "slots": [slot_key(moment) for moment in slots.values()]},
        )
        return {row.name: row.status for row in rows}


def slot_key(moment: datetime) -> str:
    """Return a slot as it is stored."""
    return moment.isoformat(timespec="seconds")


_CLAIM = text(
    """
    INSERT INTO intel_job_run (name, slot, status, worker, lease_until, started_at, parameters)
    VALUES (:name, :slot, 'running', :worker, clock_timestamp() + make_interval(secs => :lease),
            intel_now(), :parameters)
    ON CONFLICT (name, slot) DO UPDATE
    SET worker = excluded.worker, lease_until = excluded.lease_until,
        started_at = excluded.started_at, parameters = excluded.parameters
    WHERE intel_job_run.status = 'running' AND intel_job_run.lease_until < clock_timestamp()
    RETURNING id
    """
).bindparams(bindparam("parameters", type_=JSONB))

_RENEW = text(
    "UPDATE intel_job_run SET lease_until = clock_timestamp() + make_interval(secs => :lease) "
    "WHERE id = :id AND worker = :worker AND status = 'running'"
)

_END = text(
    "UPDATE intel_job_run SET status = :status, ended_at = intel_now(), message = :message, "
    "run_id = :run_id, result = :result WHERE id = :id AND worker = :worker AND status = 'running'"
).bindparams(bindparam("result", type_=JSONB(none_as_null=True)))
