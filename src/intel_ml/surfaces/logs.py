"""Log lines: events with fields, on standard error, with every secret blotted out.

Reads   the level and the secrets of the settings.
Gives   `configure`: one set-up for every process.
Never   writes a token, wherever it turns up: in a field, a URL or an exception.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, TextIO, cast
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

if TYPE_CHECKING:
    from intel_ml.surfaces.settings import Settings

_IN_URL = re.compile(r"(access_token|appsecret_proof|client_secret|password)=[^&\s\"']+")
_BEARER = re.compile(r"(Bearer\s+)[A-Za-z0-9._~+/=-]+")
_BLOT = "…"
_SHORTEST_SECRET = 6


def configure(*, level: str, secrets: Iterable[str] = ()) -> None:
    """Set up structlog and the standard library's logging for this process."""
    stderr = cast(TextIO, _Stderr())
    known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]

    def blot(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        return {name: without_secrets(value, known) for name, value in event.items()}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            blot,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(_Blotter(known))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret of the settings: tokens, keys, and the database's password."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    passwords = [urlsplit(text).password for text in found if "://" in text]
    return [*found, *(text for text in passwords if text)]


def without_secrets(value: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a value with tokens blotted out of its text.

    >>> without_secrets("GET /me?access_token=EAAB123&limit=5")
    'GET /me?access_token=…&limit=5'
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _BEARER.sub(rf"\1{_BLOT}", _IN_URL.sub(rf"\1={_BLOT}", str(value)))
    for secret in secrets:
        text = text.replace(secret, _BLOT)
    return text


class _Stderr(io.TextIOBase):
    """Standard error as it is when a line is written: loggers outlive what replaces it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Blotter(logging.Formatter):
    """The same for what libraries log, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = list(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return str(without_secrets(super().format(record), self._secrets))
