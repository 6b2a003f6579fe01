"""One decision over HTTP, beside a no-op of the same server in the same run.

Both go through BentoML and one kept connection; the difference is what the answer itself costs:
the token, the entity's state, the rules and the decision's row. No policy is registered here, so
none is asked; what one costs in process is measured beside.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from sqlalchemy import select

from benchmarks.installation import Installation
from benchmarks.measuring import Row, ratio, row, side_by_side
from intel_ml.data.store.tables import EntityRow
from intel_ml.surfaces.people import add_person, new_token
from intel_ml.surfaces.processes import process_spec

_WHO = "bench"
_STATE = {"spend": 68.5, "conversions": 0.0, "impressions": 4200.0, "cpa_ratio": 2.3, "ctr": 0.9}


def measure(installation: Installation) -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    spec = process_spec("api", installation.settings, env_file=installation.env_file)
    installation.supervisor.start(spec)
    store = installation.store
    add_person(store, name=_WHO, password=secrets.token_hex(8), role="approver")
    token = new_token(store, user=_WHO, name=_WHO)
    by_id, by_state = _questions(installation)
    installation.supervisor.wait_ready("api")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=installation.settings.api_url, headers=headers, timeout=30
    ) as client:
        idle, asked, stated = side_by_side(
            _get(client),
            _post(client, by_id),
            _post(client, by_state),
            repeats=250,
            warm_up=20,
        )
    yield row(
        "POST /recommend, an entity by its id", asked, note=f"{ratio(asked, idle)} /livez; by rules"
    )
    yield row(
        "POST /recommend, an explicit state", stated, note=f"{ratio(stated, idle)} /livez; by rules"
    )
    yield row("GET /livez of the same server", idle, note="the peer: a no-op")


def _questions(installation: Installation) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with installation.store.session() as session:
        adsets = session.scalars(
            select(EntityRow).where(
                EntityRow.entity_type == "adset", EntityRow.effective_status == "ACTIVE"
            )
        ).all()
    by_id = [
        {"account_id": one.ad_account_id, "entity_type": "adset", "entity_id": one.entity_id}
        for one in adsets
    ]
    return by_id, [{"account_id": installation.accounts[0].id, "state": _STATE}]


def _get(client: httpx.Client) -> Callable[[], None]:
    def call() -> None:
        client.get("/livez").raise_for_status()

    return call


def _post(client: httpx.Client, bodies: list[dict[str, Any]]) -> Callable[[], None]:
    turns = iter(range(1_000_000))

    def call() -> None:
        body = bodies[next(turns) % len(bodies)]
        client.post("/recommend", json=body).raise_for_status()

    return call
