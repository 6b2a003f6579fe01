"""One decision over HTTP, beside a no-op of the same server in the same run; then many at once.

The no-op is `POST /ping`: a BentoML endpoint like the others, JSON in, JSON out. What a question
costs more is the answer itself: the caller, the entity's state, the rules, and the decision's row,
kept before the answer is sent. Entities are asked about again and again, and what was concluded of
one is kept while nothing changes, for a minute at most; an explicit state is judged anew each time.
No policy is registered here, so none is asked; what one costs in process is measured beside. Each
request is written and read by hand over one kept connection: a client that thinks would be measured
with the server.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from benchmarks.installation import Installation
from benchmarks.measuring import Row, quality, row, side_by_side
from intel_ml.data.store.tables import Decision, EntityRow
from intel_ml.surfaces.people import add_person, new_token
from intel_ml.surfaces.processes import process_spec

_WHO = "bench"
_STATE = {"spend": 68.5, "conversions": 0.0, "impressions": 4200.0, "cpa_ratio": 2.3, "ctr": 0.9}
_REPEATS = 5_000
_CLIENTS, _EACH = 16, 320
_BATCH = 1_000
_KEPT_S, _DRAINED_S = 22, 10
_INODE, _LISTENS = 9, "0A"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_MARK = "≤ 1.5 x /ping's p99"


def measure(installation: Installation) -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    spec = process_spec("api", installation.settings, env_file=installation.env_file)
    installation.supervisor.start(spec)
    store = installation.store
    add_person(store, name=_WHO, password=secrets.token_hex(8), role="approver")
    target = _Target(installation.settings.intel_api_port, new_token(store, user=_WHO, name=_WHO))
    installation.supervisor.wait_ready("api")
    by_id = [target.post("/recommend", body) for body in _by_id(installation)]
    account = installation.accounts[0].id
    by_state = [target.post("/recommend", {"account_id": account, "state": _STATE})]
    ping = [target.post("/ping", _STATE)]
    with target.connection() as line:
        idle, live, asked, stated = side_by_side(
            _ask(line, ping),
            _ask(line, [target.get("/livez")]),
            _ask(line, by_id),
            _ask(line, by_state),
            repeats=_REPEATS,
            warm_up=max(60, len(by_id)),
        )
    yield _beside("POST /recommend, an entity by its id", asked, idle=idle, live=live)
    yield _beside("POST /recommend, an explicit state", stated, idle=idle, live=live)
    yield row("POST /ping of the same server", idle, note="the peer: a no-op, JSON in and out")
    yield row("GET /livez of the same server", live, note="a no-op without a body")
    yield from _many(installation, target, by_id, ping)
    yield _batch(target, account)


def _beside(what: str, taken: np.ndarray, *, idle: np.ndarray, live: np.ndarray) -> Row:
    tail, still, alive = (float(np.quantile(one, 0.99)) for one in (taken, idle, live))
    note = f"p99 is {tail / still:.2f} x /ping's, {tail / alive:.1f} x /livez's; by rules, logged"
    made = row(what, taken, note=note)
    return Row(made.what, made.p50, made.p99, made.note, _MARK)


def _many(
    installation: Installation, target: _Target, by_id: list[bytes], ping: list[bytes]
) -> Iterator[Row]:
    """Yield what many clients at once are answered, how the memory stands, and what was logged."""
    # The vendor keeps each request for as long as it might take; then its memory is used again.
    full = time.monotonic() + _KEPT_S
    while time.monotonic() < full:
        asyncio.run(_at_once(target, by_id))
    before = _memory_mb(target.port)
    idle, _ = asyncio.run(_at_once(target, ping))
    time.sleep(1.0)  # until the decisions of the first rounds are in the database
    logged = _decisions(installation)
    began = time.perf_counter()
    taken, failed = asyncio.run(_at_once(target, by_id))
    rate = len(taken) / (time.perf_counter() - began)
    grown = _memory_mb(target.port) - before
    tail = float(np.quantile(taken, 0.99) / np.quantile(idle, 0.99))
    made = row(
        f"POST /recommend, {_CLIENTS} clients at once",
        taken,
        note=f"{len(taken):,} answers, {failed} failed, {rate:,.0f} a second; "
        f"p99 is {tail:.2f} x /ping's",
    )
    yield Row(made.what, made.p50, made.p99, made.note, _MARK)
    yield row(f"POST /ping, {_CLIENTS} clients at once", idle, note="the peer: a no-op")
    patience = time.monotonic() + _DRAINED_S
    while (missing := len(taken) - failed + logged - _decisions(installation)) > 0:
        if time.monotonic() > patience:
            break
        time.sleep(0.1)
    yield quality(
        f"decisions answered but not logged, of {len(taken):,}", missing, mark="0", digits=0
    )
    yield quality(
        f"memory the server took for {2 * len(taken):,} requests, MB",
        grown,
        mark="≤ 20",
        note=f"of {before:,.0f} MB; the vendor keeps each request for {_KEPT_S - 2} s, "
        "so it follows the rate",
        digits=1,
    )


def _batch(target: _Target, account: str) -> Row:
    asked = {
        "requests": [
            {"account_id": account, "state": {**_STATE, "ctr": n / 100}} for n in range(_BATCH)
        ]
    }
    with target.connection() as line:
        (taken,) = side_by_side(
            _ask(line, [target.post("/recommend_batch", asked)]), repeats=10, warm_up=2
        )
    each = float(np.median(taken)) / _BATCH * 1e6
    return row(f"POST /recommend_batch, {_BATCH:,} states", taken, note=f"{each:,.0f} µs each")


def _by_id(installation: Installation) -> list[dict[str, Any]]:
    with installation.store.session() as session:
        adsets = session.scalars(
            select(EntityRow).where(
                EntityRow.entity_type == "adset", EntityRow.effective_status == "ACTIVE"
            )
        ).all()
    return [
        {"account_id": one.ad_account_id, "entity_type": "adset", "entity_id": one.entity_id}
        for one in adsets
    ]


def _decisions(installation: Installation) -> int:
    with installation.store.session() as session:
        return session.scalar(select(func.count()).select_from(Decision)) or 0


@dataclass(frozen=True, slots=True)
class _Target:
    """The server, and who asks it."""

    port: int
    token: str

    def post(self, path: str, body: Any) -> bytes:
        """Return a request as it goes over the line."""
        text = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        return head.encode() + text

    def get(self, path: str) -> bytes:
        """Return a request without a body."""
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    def connection(self) -> socket.socket:
        """Return a line that stays open."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line


def _ask(line: socket.socket, requests: list[bytes]) -> Callable[[], None]:
    turns = iter(range(10_000_000))

    def more() -> bytes:
        found = line.recv(65_536)
        if not found:
            raise ConnectionError("the server closed the line")
        return found

    def call() -> None:
        line.sendall(requests[next(turns) % len(requests)])
        answer = more()
        while b"\r\n\r\n" not in answer:
            answer += more()
        head, _, body = answer.partition(b"\r\n\r\n")
        missing = _length(head) - len(body)
        while missing > 0:
            missing -= len(more())
        if b" 200 " not in head[:16]:
            raise RuntimeError(answer.decode())

    return call


async def _at_once(target: _Target, requests: list[bytes]) -> tuple[np.ndarray, int]:
    """Return how long each answer took, and how many were none."""
    taken: list[float] = []
    failed = 0

    async def client(number: int) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for turn in range(_EACH):
            began = time.perf_counter()
            writer.write(requests[(number + turn) % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            taken.append(time.perf_counter() - began)
            failed += b" 200 " not in head[:16]
        writer.close()

    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
    return np.array(taken), failed


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def _memory_mb(port: int) -> float:
    """Return the resident memory of the process that listens on a port; NaN where /proc is not."""
    tables = Path("/proc/net/tcp")
    lines = tables.read_text().splitlines()[1:] if tables.exists() else []
    inodes = {
        f"socket:[{cells[_INODE]}]"
        for cells in map(str.split, lines)
        if cells[1].endswith(f":{port:04X}") and cells[3] == _LISTENS
    }
    sizes = [
        int(line.split()[1]) / 1024
        for folder in Path("/proc").glob("[0-9]*")
        if inodes & _open_files(folder)
        for line in (folder / "status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
    return max(sizes, default=float("nan"))


def _open_files(process: Path) -> set[str]:
    try:
        return {str(link.readlink()) for link in (process / "fd").iterdir()}
    except OSError:
        return set()
