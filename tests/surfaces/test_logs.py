"""No secret in a line, wherever it turns up."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretStr

from intel_ml.surfaces import logs
from intel_ml.surfaces.settings import Settings

TOKEN = "EAAsecretsecret"  # noqa: S105  # made up
SETTINGS = Settings(
    meta_access_token=SecretStr(TOKEN),
    intel_session_secret=SecretStr("a phrase nobody knows"),
    intel_database_url=SecretStr("postgresql://u:hunter22@h/d"),
)


def _fail() -> None:
    raise RuntimeError(" ".join(["refused", TOKEN, "hunter" + "22"]))


@pytest.fixture
def configured() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    logs.configure(level="info", secrets=logs.secrets_of(SETTINGS))
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


@pytest.mark.usefixtures("configured")
def test_no_secret_reaches_a_log_line_field_or_traceback(capsys: pytest.CaptureFixture[str]):
    ours, theirs = structlog.get_logger(), logging.getLogger("vendor")
    try:
        _fail()
    except RuntimeError as error:
        ours.exception("failed", error=error, detail={"key": [TOKEN]})
        theirs.exception("failed with %s", TOKEN)
    ours.info("asked", url="https://h/me?access_token=EAAother&limit=5")
    text = capsys.readouterr().err
    assert "RuntimeError: refused" in text
    assert "failed with …" in text
    for secret in (TOKEN, "hunter22", "EAAother"):
        assert secret not in text
