"""What an answer of the Graph API means: its JSON, or the error that says what to do about it.

Reads   status, headers and body of an answer or of one item of a batch.
Gives   the parsed body; otherwise the `PlatformError` of `core.errors` that fits code and subcode.
Never   repeats a token; never trusts a status alone (pages of HTML arrive with 200).

Meta: "error handling should be done using only the error codes"; texts may be localised. An error
without a `code` means that
what came back was no answer: whoever sent a change must then treat its result as unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from intel_ml.core.errors import (
    PlatformError,
    RefusedChangeError,
    ThrottledError,
    TokenError,
    TransientPlatformError,
)
from intel_ml.data.meta.usage import regain_seconds


class Asked(Enum):
    """Whether facts were asked for or a change.

    What is permanent for a change is a refused change.
    """

    FACTS = "facts"
    CHANGE = "change"


_OK, _SERVER_ERROR = 200, 500
_HOUR_S, _DAY_S = 3600.0, 86400.0
_USUAL_WAIT_S = 300.0
_LONGEST_TEXT = 300

_TOKEN_CODES = frozenset({3, 10, 102, 190, 294, *range(200, 300)})
_THROTTLE_CODES = frozenset({4, 17, 32, 341, 613, *range(80000, 80010), 80014})
_TRANSIENT_CODES = frozenset({-3, -2, 1, 2, 104, 960})
_TOO_MUCH_DATA = frozenset({(2, 1504038), (100, 1504018), (100, 1487534), (-3, 1504045)})
_PERMANENT = frozenset({(1, 2853001), (2, 1504041), (2, 1504042)})
_BLOCKED_CODES = frozenset({368, 1404078, 2859015})
_ABUSE_CODE = 613
_WAITS_S = {
    (17, 1885172): _DAY_S,
    (613, 1487632): _HOUR_S,
    (613, 1487742): _USUAL_WAIT_S,
    (613, 5044001): 1.0,
}
_UNKNOWN_CODE = 1
_LESS_DATA_TEXT = "reduce the amount of data"

_BLOCKED_HINT = "Meta has blocked such actions: stop, and see Account Quality in Business Manager."
_SECRET_PAIR = re.compile(
    r"((?:access_token|appsecret_proof|client_secret|app_secret|input_token)"
    r"[\"']?\s*(?:=|%3D|:)\s*[\"']?)[^&\s\"',}]+",
    re.IGNORECASE,
)
_TOKEN_SHAPE = re.compile(r"EAA[A-Za-z0-9]{16,}")
_HTML = re.compile(r"^\s*<")


def read_answer(
    body: str | None,
    *,
    status: int,
    headers: Mapping[str, str] | None = None,
    asked: Asked = Asked.FACTS,
) -> Any:
    """Return the parsed JSON of an answer, or raise the error it stands for."""
    parsed = _parsed(body, status=status)
    if isinstance(parsed, Mapping):
        if "error" in parsed:
            raise platform_error(parsed["error"], status=status, headers=headers, asked=asked)
        if parsed.get("success") is False:
            raise _not_an_answer(status, "it says success: false without a reason")
    if status >= _SERVER_ERROR:
        raise _not_an_answer(status, "a server error without an error body")
    if not isinstance(parsed, Mapping | list):
        raise _not_an_answer(status, f"a bare {type(parsed).__name__}")
    return parsed


def platform_error(
    error: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    asked: Asked = Asked.FACTS,
) -> PlatformError:
    """Return the error that the `error` object of a body stands for."""
    if not isinstance(error, Mapping):
        return TransientPlatformError(
            f"Meta answered with an error that is only a text: {without_secrets(str(error))}",
            status=status,
        )
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    text = without_secrets(str(error.get("error_user_msg") or error.get("message") or "no message"))
    number = f"code {code}" + (f", subcode {subcode}" if subcode is not None else "")
    kind = _kind(code, subcode, error=error, status=status, asked=asked)
    wait = _wait(code, subcode, headers or {}) if kind is ThrottledError else None
    hint = _BLOCKED_HINT if code in _BLOCKED_CODES else None
    if kind is ThrottledError:
        hint = f"Wait {wait:.0f} s before the next call."
    return kind(
        f"Meta answered: {text} ({number}).",
        code=code,
        subcode=subcode,
        status=status,
        retry_after_s=wait,
        hint=hint,
    )


def wants_less(error: PlatformError) -> bool:
    """Return whether the same question about fewer rows would be answered."""
    too_much = (error.code, error.subcode) in _TOO_MUCH_DATA
    return too_much or (error.code == _UNKNOWN_CODE and _LESS_DATA_TEXT in error.message)


def without_secrets(text: str, *secrets: str | None) -> str:
    """Return `text` without tokens and proofs, cut to what fits a log line.

    >>> without_secrets("GET /v26.0/me?access_token=EAAB123&limit=5")
    'GET /v26.0/me?access_token=…&limit=5'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    text = _TOKEN_SHAPE.sub("…", _SECRET_PAIR.sub(r"\1…", text))
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _parsed(body: str | None, *, status: int) -> Any:
    if not body or not body.strip():
        raise _not_an_answer(status, "an empty body")
    if _HTML.match(body):
        raise _not_an_answer(status, "a page of HTML")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _not_an_answer(status, f"{len(body)} characters that are not JSON") from None


def _not_an_answer(status: int, what: str) -> TransientPlatformError:
    return TransientPlatformError(
        f"Meta's answer is not one: {what} (HTTP {status}).", status=status
    )


def _kind(
    code: int | None,
    subcode: int | None,
    *,
    error: Mapping[str, Any],
    status: int | None,
    asked: Asked,
) -> type[PlatformError]:
    permanent = RefusedChangeError if asked is Asked.CHANGE else PlatformError
    if (code, subcode) in _PERMANENT or code in _BLOCKED_CODES:
        return permanent
    if code in _TOKEN_CODES:
        return TokenError
    if code in _THROTTLE_CODES:
        return ThrottledError
    if (
        (code, subcode) in _TOO_MUCH_DATA
        or code in _TRANSIENT_CODES
        or error.get("is_transient") is True
    ):
        return TransientPlatformError
    if code is None and (status is None or status == _OK or status >= _SERVER_ERROR):
        return TransientPlatformError
    return permanent


def _wait(code: int | None, subcode: int | None, headers: Mapping[str, str]) -> float:
    told = regain_seconds(headers)
    if told > 0:
        return told
    usual = _HOUR_S if code == _ABUSE_CODE else _USUAL_WAIT_S
    return _WAITS_S.get((code or 0, subcode or 0), usual)


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
