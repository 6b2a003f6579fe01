"""The prediction service: `/recommend`, `/recommend_batch`, `/feedback`, `/ping`, and the REST API.

Reads   the settings of this installation.
Gives   `Service`, which `bentoml serve serving.service:Service` runs; `/readyz` says who answers.
Never   thinks: `intel_ml.surfaces.api` does; never reports to the vendor.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, cast

# The vendor decides at import whether to report home, and reads no other spelling.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
from pydantic import BaseModel, WithJsonSchema
from starlette.responses import Response

from intel_ml.data.store.spool import Spool
from intel_ml.operations.decision_rows import APPEND
from intel_ml.surfaces.api.answers import (
    BatchIn,
    BatchOut,
    FeedbackIn,
    FeedbackOut,
    Pong,
    RecommendIn,
    RecommendOut,
    described,
)
from intel_ml.surfaces.api.app import create_api
from intel_ml.surfaces.api.asker import Asker
from intel_ml.surfaces.api.boundary import Boundary
from intel_ml.surfaces.api.doors import (
    Readiness,
    ReadyDoor,
    RestDoor,
    answered,
    refused,
    said,
)
from intel_ml.surfaces.api.memory import Memory
from intel_ml.surfaces.api.models import ModelKeeper, loader, promotions
from intel_ml.surfaces.api.predictions import Predictor
from intel_ml.surfaces.api.refused_models import teller
from intel_ml.surfaces.logs import configure
from intel_ml.surfaces.platform import limits_of, open_store, require_enabled
from intel_ml.surfaces.settings import load_settings

PATHS = ("/recommend", "/recommend_batch", "/feedback", "/ping")
READY = "/readyz"
WRONG_USE = int(HTTPStatus.BAD_REQUEST)

_THREADS = 8
#: The vendor keeps each request in memory for so long, answered or not.
_TIMEOUT_S = 20
#: Each request leaves cycles behind: looked for rarely, they would pile up.
_GC_THRESHOLDS = (20_000, 3, 2)

# The bodies are checked by our own code, so that a refusal names the path and the nearest field.
Question = Annotated[Any, WithJsonSchema(described(RecommendIn))]
Questions = Annotated[Any, WithJsonSchema(described(BatchIn))]
Report = Annotated[Any, WithJsonSchema(described(FeedbackIn))]

Anything = Annotated[Any, WithJsonSchema({})]

rest = RestDoor()
ready = ReadyDoor()


@bentoml.service(
    name="intel_predictions",
    workers=1,
    threads=_THREADS,
    traffic={"timeout": _TIMEOUT_S},
    logging={"access": {"enabled": False}},
    endpoints={"livez": "/livez", "readyz": READY},
    metrics={"enabled": True},
)
@bentoml.asgi_app(rest, path="/api", name="rest")
class Service:
    """Rules and policy side by side, for one entity or many; needs `Authorization: Bearer …`."""

    def __init__(self) -> None:
        settings = load_settings()
        require_enabled(settings)
        tokens = (settings.meta_access_token, settings.meta_write_token, settings.meta_app_secret)
        secrets = [token.get_secret_value() for token in tokens if token is not None]
        configure(level=settings.intel_log_level, secrets=secrets)
        self.store = open_store(settings)
        self.keeper = ModelKeeper(
            loader(self.store, settings), life=promotions(self.store), tell=teller(self.store)
        )
        self.memory = Memory(self.store, limits_of(settings))
        self.predictor = Predictor(self.store, settings, self.keeper, self.memory)
        self.spool = Spool(settings.intel_home / "decisions", self.store.url, APPEND)
        self.asker = Asker(self.predictor, self.spool)
        rest.open(create_api(self.store, settings))

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # no types
    def warm(self) -> None:
        """Take what is imported and compiled by now out of every collection; look for models."""
        self.predictor.warm()
        self.memory.start()
        self.spool.start()
        self.keeper.start()
        ready.open(self.predictor.health)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # no types
    def rest_from_work(self) -> None:
        """Write what was answered; give back the threads and the connections."""
        rest.close()
        ready.close()
        self.spool.close()
        self.keeper.stop()
        self.memory.stop()
        self.store.close()

    @bentoml.api(route="/recommend", output_spec=RecommendOut)  # type: ignore[untyped-decorator]  # no types
    async def recommend(self, body: Question, /, ctx: bentoml.Context) -> Any:
        """Return what the rules and the policy would do with one entity, and which is shown.

        Give an entity's ids, or an explicit `state` in their place.
        """
        return await soon(ctx, self.asker.recommend, body)

    @bentoml.api(route="/recommend_batch", output_spec=BatchOut)  # type: ignore[untyped-decorator]  # no types
    async def recommend_batch(self, body: Questions, /, ctx: bentoml.Context) -> Any:
        """Return the answers to up to 1,000 questions, in their order."""
        return await soon(ctx, self.asker.recommend_batch, body)

    @bentoml.api(route="/feedback", output_spec=FeedbackOut)  # type: ignore[untyped-decorator]  # no types
    def feedback(self, body: Report, /, ctx: bentoml.Context) -> Any:
        """Record what was done elsewhere with a decision; the last report counts."""
        who = ctx.request.headers.get("authorization")
        return given(ctx, answered(lambda: self.asker.feedback(who, body), wrong_use=WRONG_USE))

    @bentoml.api(route="/ping", output_spec=Pong)  # type: ignore[untyped-decorator]  # no types
    async def ping(self, body: Anything, /, ctx: bentoml.Context) -> Any:
        """Return the body: JSON goes there and back. It needs no token and decides nothing."""
        return given(ctx, said(Pong(echo=body)))


def plainly(spec: Any, text: bytes) -> Any:
    """Return a body as it is; the vendor would describe its whole schema again for each request."""
    return spec.model_validate(json.loads(text))


# The decorator has made a bentoml service of the class.
for endpoint in cast(Any, Service).apis.values():
    endpoint.input_spec.model_validate_json = classmethod(plainly)
cast(Any, Service).add_asgi_middleware(Readiness, door=ready, path=READY)
cast(Any, Service).add_asgi_middleware(Boundary, status=WRONG_USE, only=PATHS)


async def soon(
    ctx: bentoml.Context, ask: Callable[[str | None, Any], Awaitable[BaseModel]], body: Any
) -> Response:
    """Return the answer, or the refusal."""
    try:
        answer = said(await ask(ctx.request.headers.get("authorization"), body))
    except Exception as error:  # noqa: BLE001  # each becomes a refusal in our shape
        answer = refused(error, wrong_use=WRONG_USE)
    return given(ctx, answer)


def given(ctx: bentoml.Context, answer: Response) -> Response:
    """Return the response; the vendor takes its status from the context."""
    ctx.response.status_code = answer.status_code
    return answer
