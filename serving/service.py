"""The prediction service: `/recommend`, `/recommend_batch`, `/feedback`, and the REST API beside them.

Reads   the settings of this installation.
Gives   `Service`, which `bentoml serve serving.service:Service` runs.
Never   thinks: `intel_ml.surfaces.api` does; never reports to the vendor.
"""

from __future__ import annotations

import gc
import os
from http import HTTPStatus
from typing import Annotated, Any

# The vendor decides at import whether to report home, and reads no other spelling.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
from pydantic import WithJsonSchema

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
    """Rules and policy side by side, for one entity or a thousand. Send `Authorization: Bearer TOKEN`."""

    def __init__(self) -> None:
        settings = load_settings()
        require_enabled(settings)
        configure(level=settings.intel_log_level, secrets=secrets_of(settings))
        self.store = open_store(settings)
        self.keeper = ModelKeeper(loader(self.store, settings))
        self.predictor = Predictor(self.store, settings, self.keeper)
        rest.open(create_api(self.store, settings))

    @bentoml.on_startup
    def warm(self) -> None:
        """Start looking for models, and take what is imported by now out of every collection."""
        self.keeper.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    @bentoml.on_shutdown
    def rest_from_work(self) -> None:
        """Give back the thread and the connections."""
        rest.close()
        self.keeper.stop()
        self.store.close()

    def __is_ready__(self) -> bool:
        """Return whether the database answers and the rules are loaded."""
        return self.predictor.is_ready()

    @bentoml.api(route="/recommend", output_spec=RecommendOut)
    def recommend(self, body: Question, /, ctx: bentoml.Context) -> Any:
        """Return what the rules and the policy would do with one entity, and which of them is shown.

        Give an entity's ids, or an explicit `state` in their place.
        """
        return answered(
            lambda: self.predictor.recommend(authorization(ctx), body), wrong_use=WRONG_USE)

    @bentoml.api(route="/recommend_batch", output_spec=BatchOut)
    def recommend_batch(self, body: Questions, /, ctx: bentoml.Context) -> Any:
        """Return the answers to up to 1,000 questions, in their order."""
        return answered(
            lambda: self.predictor.recommend_batch(authorization(ctx), body), wrong_use=WRONG_USE)

    @bentoml.api(route="/feedback", output_spec=FeedbackOut)
    def feedback(self, body: Report, /, ctx: bentoml.Context) -> Any:
        """Record what was done elsewhere with a decision; the last report counts."""
        return answered(
            lambda: self.predictor.feedback(authorization(ctx), body), wrong_use=WRONG_USE)


Service.add_asgi_middleware(Boundary, status=WRONG_USE, only=PATHS)


def authorization(ctx: bentoml.Context) -> str | None:
    """Return the header that says who asks."""
    found: str | None = ctx.request.headers.get("authorization")
    return found
