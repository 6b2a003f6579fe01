"""What the Graph API says when it refuses.

Reads   code, subcode and message.
Gives   `GraphError` with the exact body of Meta's errors.
Never   puts a token into a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intel_ml.core.errors import PlatformError

_BAD_REQUEST = 400
BAD_PARAMETER = 100
MISSING_OBJECT = 33


@dataclass(frozen=True)
class GraphError(Exception):
    """One refusal."""

    message: str
    code: int = BAD_PARAMETER
    subcode: int | None = None
    type: str = "OAuthException"
    status: int = _BAD_REQUEST
    is_transient: bool = False
    title: str | None = None

    def body(self, trace: str) -> dict[str, Any]:
        """Return the JSON body."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient or self.subcode is not None:
            error["is_transient"] = self.is_transient
        if self.title is not None:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.message
        error["fbtrace_id"] = trace
        return {"error": error}


def bad_parameter(problem: str) -> GraphError:
    """Return the error 100 for a parameter."""
    return GraphError(f"(#100) {problem}")


def missing_object(identifier: str, *, method: str = "get") -> GraphError:
    """Return the error 100/33 for an object that isn't there or can't do this."""
    return GraphError(
        f"Unsupported {method} request. Object with ID '{identifier}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation. "
        "Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=MISSING_OBJECT,
        type="GraphMethodException",
    )


def unknown_alias(alias: str) -> GraphError:
    """Return the error 803 for a name that is no id."""
    return GraphError(f"(#803) Some of the aliases you requested do not exist: {alias}", code=803)


def unknown_path(path: str) -> GraphError:
    """Return the error 2500 for an edge that doesn't exist."""
    return GraphError(f"Unknown path components: /{path}", code=2500)


def bad_token() -> GraphError:
    """Return the error 190."""
    return GraphError("Invalid OAuth access token - Cannot parse access token", code=190)


def no_token() -> GraphError:
    """Return the error 104."""
    return GraphError("An access token is required to request this resource.", code=104)


def no_permission() -> GraphError:
    """Return the error 200 for a token that may only read."""
    return GraphError(
        "(#200) Ad account owner has NOT grant ads_management permission", code=200, status=403
    )


def refusal(error: PlatformError) -> GraphError:
    """Return what the platform answers to a change that it refuses."""
    return GraphError(
        error.message,
        code=error.code or BAD_PARAMETER,
        subcode=error.subcode,
        title="Change not saved",
    )
