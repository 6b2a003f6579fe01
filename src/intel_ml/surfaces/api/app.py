"""The REST API of the plan's section 5: dashboard, rules, actions, patterns, notifications.

Reads   bearer tokens and strict JSON.
Gives   a FastAPI application whose paths begin with /api, described at /api/openapi.json.
Never   answers without a token, never another account's data, never in another shape than ours.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.api import actions, dashboard, notifications, patterns, performance, rules
from intel_ml.surfaces.api.boundary import Boundary
from intel_ml.surfaces.api.callers import Platform
from intel_ml.surfaces.api.refusals import Failure, install
from intel_ml.surfaces.settings import Settings

WRONG_USE = int(HTTPStatus.UNPROCESSABLE_ENTITY)

_REFUSALS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.UNAUTHORIZED: {"model": Failure, "description": "No token, or one we do not know."},
    HTTPStatus.FORBIDDEN: {"model": Failure, "description": "Your role does not carry this right."},
    HTTPStatus.NOT_FOUND: {"model": Failure, "description": "No such thing, or not yours."},
    HTTPStatus.CONFLICT: {"model": Failure, "description": "Someone else was first: who and when."},
    HTTPStatus.UNPROCESSABLE_ENTITY: {
        "model": Failure,
        "description": "Wrong: where, and what to do.",
    },
    HTTPStatus.SERVICE_UNAVAILABLE: {"model": Failure, "description": "Something we need is away."},
}


def create_api(store: Store, settings: Settings) -> FastAPI:
    """Return the application; it opens no connection before the first request."""
    app = FastAPI(
        title="Campaign Intelligence Engine",
        summary="Rules, proposals, dashboards and notifications of the accounts you may see.",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=_REFUSALS,
    )
    app.state.platform = Platform(store=store, settings=settings)
    for room in (dashboard, performance, rules, actions, patterns, notifications):
        app.include_router(room.router)
    install(app, wrong_use=WRONG_USE)
    app.add_middleware(Boundary, status=WRONG_USE)
    return app
