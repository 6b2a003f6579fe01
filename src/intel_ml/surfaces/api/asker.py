"""How the server asks: in the event loop what needs no reading, the rest in a thread.

Reads   a bearer token and a parsed body.
Gives   the answers of `Predictor`.
Never   gives an answer whose decision is not in the spool.
"""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync

from intel_ml.data.store.spool import Spool
from intel_ml.surfaces.api.answers import BatchOut, FeedbackOut, RecommendOut
from intel_ml.surfaces.api.memory import ColdError
from intel_ml.surfaces.api.predictions import Predictor, only


class Asker:
    """Answers in the event loop what needs no reading, and everything else from a thread.

    The decision is in `spool` before the answer is given.
    """

    def __init__(self, predictor: Predictor, spool: Spool) -> None:
        self._predictor, self._spool = predictor, spool

    async def recommend(self, authorization: str | None, body: Any) -> RecommendOut:
        """Return what rules and policy would do with one entity."""
        try:
            thought = self._predictor.think(authorization, body, may_wait=False)
        except ColdError:
            thought = await run_sync(lambda: self._predictor.think(authorization, body))
        self._spool.append(thought.rows)
        return only(thought)

    async def recommend_batch(self, authorization: str | None, body: Any) -> BatchOut:
        """Return one answer a question; their decisions are written at once."""

        def written() -> BatchOut:
            thought = self._predictor.think_of_many(authorization, body)
            self._spool.append(thought.rows)
            return BatchOut(answers=list(thought.answers))

        return await run_sync(written)

    def feedback(self, authorization: str | None, body: Any) -> FeedbackOut:
        """Record what was done elsewhere with a decision, be it a moment old."""
        self._spool.flush()
        return self._predictor.feedback(authorization, body)
