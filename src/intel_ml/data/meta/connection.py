"""The official SDK, pointed at a Graph host: the sandbox and the real one differ in the URL only.

Reads   a URL and a token.
Gives   `connect`: the SDK's API object, whose every answer is checked before the SDK sees it;
        `asking`: the borders of a call.
Never   sets a global default, reports crashes, waits without limit, or lets a token into an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookError
from facebook_business.session import FacebookSession
from requests import exceptions as http

from intel_ml.core.errors import PlatformError, TransientPlatformError, UnavailableError
from intel_ml.data.meta.answers import Asked, read_answer, without_secrets

_NOT_SENT = (
    http.ConnectTimeout,
    http.ProxyError,
    http.SSLError,
    http.InvalidURL,
    http.InvalidSchema,
    http.MissingSchema,
)
_REFUSED = (
    "NewConnectionError",
    "NameResolutionError",
    "Connection refused",
    "Failed to establish",
)


def connect(
    graph_url: str,
    token: str,
    *,
    app_id: str | None = None,
    app_secret: str | None = None,
    timeout_s: float = 30,
) -> Any:
    """Return a `FacebookAdsApi` for `graph_url`.

    Calls are signed (appsecret_proof) only where a secret is set.
    """
    session = FacebookSession(
        app_id=app_id, app_secret=app_secret, access_token=token, timeout=timeout_s
    )
    session.GRAPH = graph_url.rstrip("/")
    session.requests.hooks["response"].append(_check)
    return FacebookAdsApi(session)


@contextmanager
def asking(
    graph_url: str, *, unanswered: type[PlatformError] = TransientPlatformError
) -> Iterator[None]:
    """Turn what can go wrong in a call into this program's errors.

    `unanswered` is raised when the request was sent and no answer came: whoever asks for a change
    passes `AmbiguousResultError`, because the change may have happened.
    """
    host = urlsplit(graph_url).netloc or graph_url
    try:
        yield
    except http.RequestException as error:
        if isinstance(error, _NOT_SENT) or any(word in repr(error) for word in _REFUSED):
            raise UnavailableError(
                service=f"The ad platform at {host}", check=_what_to_check(graph_url)
            ) from None
        raise unanswered(f"{host} gave no answer: {type(error).__name__}.") from None
    except FacebookError as error:
        raise unanswered(
            f"The SDK could not read the answer: {without_secrets(type(error).__name__)}."
        ) from None


def _check(response: Any, **_: Any) -> None:
    """Refuse an error or no answer before the SDK guesses: it takes HTML for success."""
    response.encoding = "utf-8"
    asked = (
        Asked.FACTS
        if response.request.method == "GET" or _is_batch(response.request.body)
        else Asked.CHANGE
    )
    read_answer(response.text, status=response.status_code, headers=response.headers, asked=asked)


def _is_batch(body: object) -> bool:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    return text.startswith("batch=") or "&batch=" in text


def _what_to_check(graph_url: str) -> str:
    shown = without_secrets(graph_url)
    if urlsplit(graph_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        return f"Is the sandbox running (`intel-ml up`)? META_GRAPH_URL is {shown}."
    return f"Check the network and META_GRAPH_URL ({shown})."
