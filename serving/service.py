"""The prediction service: `/recommend`, `/recommend_batch`, `/feedback`, the REST API beside them.

Reads   the settings of this installation.
Gives   `Service`, which `bentoml serve serving.service:Service` runs.
Never   thinks: `intel_ml.surfaces.api` does; never reports to the vendor.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, cast

# The vendor decides at import whether to report home, and reads no other spelling.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
from pydantic import BaseModel, WithJsonSchema
from starlette.responses import Response

from intel_ml.surfaces.api.answers import (
    BatchIn,
    BatchOut,
    FeedbackIn,
    FeedbackOut,
    RecommendIn,
    RecommendOut,
    described,
)
from intel_ml.surfaces.api.app import create_api
from intel_ml.surfaces.api.boundary import Boundary
from intel_ml.surfaces.api.doors import RestDoor, answered
from intel_ml.surfaces.api.models import ModelKeeper, loader
from intel_ml.surfaces.api.predictions import Predictor
from intel_ml.surfaces.logs import configure
from intel_ml.surfaces.platform import open_store, require_enabled
from intel_ml.surfaces.settings import load_settings

PATHS = ("/recommend", "/recommend_batch", "/feedback")
WRONG_USE = int(HTTPStatus.BAD_REQUEST)

_THREADS = 8
_TIMEOUT_S = 60
_GC_THRESHOLDS = (20_000, 10, 10)

# The bodies are checked by our own code, so that a refusal names the path and the nearest field.
Question = Annotated[Any, WithJsonSchema(described(RecommendIn))]
Questions = Annotated[Any, WithJsonSchema(described(BatchIn))]
Report = Annotated[Any, WithJsonSchema(described(FeedbackIn))]

rest = RestDoor()


@bentoml.service(
    name="intel_predictions",
    workers=1,
    threads=_THREADS,
    traffic={"timeout": _TIMEOUT_S},
    logging={"access": {"enabled": False}},
    endpoints={"livez": "/livez", "readyz": "/readyz"},
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
        self.keeper = ModelKeeper(loader(self.store, settings))
        self.predictor = Predictor(self.store, settings, self.keeper)
        rest.open(create_api(self.store, settings))

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # no types
    def warm(self) -> None:
        """Take what is imported and compiled by now out of every collection; look for models."""
        self.predictor.warm()
        self.keeper.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # no types
    def rest_from_work(self) -> None:
        """Give back the thread and the connections."""
        rest.close()
        self.keeper.stop()
        self.store.close()

    def __is_ready__(self) -> bool:
        """Return whether the database answers and the rules are loaded."""
        return self.predictor.is_ready()

    @bentoml.api(route="/recommend", output_spec=RecommendOut)  # type: ignore[untyped-decorator]  # no types
    def recommend(self, body: Question, /, ctx: bentoml.Context) -> Any:
        """Return what the rules and the policy would do with one entity, and which is shown.

        Give an entity's ids, or an explicit `state` in their place.
        """
        return told(ctx, lambda who: self.predictor.recommend(who, body))

    @bentoml.api(route="/recommend_batch", output_spec=BatchOut)  # type: ignore[untyped-decorator]  # no types
    def recommend_batch(self, body: Questions, /, ctx: bentoml.Context) -> Any:
        """Return the answers to up to 1,000 questions, in their order."""
        return told(ctx, lambda who: self.predictor.recommend_batch(who, body))

    @bentoml.api(route="/feedback", output_spec=FeedbackOut)  # type: ignore[untyped-decorator]  # no types
    def feedback(self, body: Report, /, ctx: bentoml.Context) -> Any:
        """Record what was done elsewhere with a decision; the last report counts."""
        return told(ctx, lambda who: self.predictor.feedback(who, body))


# The decorator has made a bentoml service of the class.
cast(Any, Service).add_asgi_middleware(Boundary, status=WRONG_USE, only=PATHS)


def told(ctx: bentoml.Context, ask: Callable[[str | None], BaseModel]) -> Any:
    """Return the answer, or the refusal; the vendor takes its status from the context."""
    answer = answered(lambda: ask(ctx.request.headers.get("authorization")), wrong_use=WRONG_USE)
    if isinstance(answer, Response):
        ctx.response.status_code = answer.status_code
    return answer
