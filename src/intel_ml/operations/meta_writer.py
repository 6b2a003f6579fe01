"""The only module that can change an account.

One setting of one entity at a time, through the official SDK.

Reads   an entity as the platform has it at this moment.
Gives   `Seen`; the platform's answer to a change; otherwise the error that says what may have
        happened.
Never   tries anything twice, sets a global default, or repeats a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intel_ml.core.actions import ActionType
from intel_ml.core.errors import AmbiguousResultError, RefusedChangeError, TransientPlatformError
from intel_ml.core.ids import EntityType
from intel_ml.data.meta.connection import asking, connect
from intel_ml.operations.access import WriteAccess
from intel_ml.operations.facts import Seen
from intel_ml.operations.values import STATUS_TYPES, Value

TIMEOUT_S = 10.0

_FIELDS = {
    EntityType.CAMPAIGN: "id,status,effective_status,daily_budget,lifetime_budget",
    EntityType.ADSET: "id,campaign_id,status,effective_status,daily_budget,lifetime_budget,"
    "learning_stage_info",
    EntityType.AD: "id,adset_id,campaign_id,status,effective_status",
}


class MetaWriter:
    """One connection with the write token."""

    def __init__(self, access: WriteAccess, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = access.graph_url
        self._api = connect(
            access.graph_url,
            access.token,
            app_id=access.app_id,
            app_secret=access.app_secret,
            timeout_s=timeout_s,
        )

    def read(self, kind: EntityType, entity_id: str, *, currency: str) -> Seen:
        """Return the entity as the platform has it now."""
        with asking(self._url):
            found = self._api.call("GET", (entity_id,), params={"fields": _FIELDS[kind]}).json()
        return _seen(found, currency=currency)

    def write(self, entity_id: str, changes: Mapping[str, str]) -> dict[str, Any]:
        """Send one change and return the answer.

        Raises
        ------
        AmbiguousResultError
            When the change may have been applied: the next step is a read.
        """
        try:
            with asking(self._url, unanswered=AmbiguousResultError):
                answer = self._api.call("POST", (entity_id,), params=dict(changes)).json()
        except TransientPlatformError as error:
            raise AmbiguousResultError(
                error.message, code=error.code, subcode=error.subcode, status=error.status
            ) from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise AmbiguousResultError(
                "The platform answered without saying whether it took the change."
            )
        return answer


def changes_of(kind: ActionType, wanted: Value) -> dict[str, str]:
    """Return the parameters that set what an action of this kind sets.

    >>> changes_of(ActionType.DECREASE_BUDGET, Value("JPY", 4000, "ACTIVE"))
    {'daily_budget': '4000'}
    """
    if kind in STATUS_TYPES:
        return {"status": str(wanted.status)}
    return {"daily_budget": str(wanted.daily_budget_minor)}


def _seen(found: Any, *, currency: str) -> Seen:
    if not isinstance(found, Mapping) or not isinstance(found.get("status"), str):
        raise TransientPlatformError("The platform's answer does not say how the entity is set.")
    learning = found.get("learning_stage_info")
    return Seen(
        value=Value(
            currency=currency,
            daily_budget_minor=_minor(found.get("daily_budget")),
            status=found["status"],
        ),
        effective_status=str(found.get("effective_status", "")),
        has_lifetime_budget=bool(_minor(found.get("lifetime_budget"))),
        learning=learning.get("status") if isinstance(learning, Mapping) else None,
        campaign_id=_text(found.get("campaign_id")),
        adset_id=_text(found.get("adset_id")),
    )


def _minor(value: object) -> int | None:
    """Return minor units; Meta says "0" where there is no budget at this level."""
    if value is None:
        return None
    try:
        return int(str(value)) or None
    except ValueError:
        raise RefusedChangeError(
            f"The platform's budget is not a whole number: {str(value)[:40]}."
        ) from None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
