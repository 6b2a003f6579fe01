from __future__ import annotations

import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.surfaces import logs

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-", min_size=12, max_size=60)


@given(token=TOKENS, name=st.sampled_from(["access_token", "appsecret_proof", "password"]))
def test_a_token_in_a_url_is_blotted_out_whatever_it_is(token: str, name: str):
    text = f"GET /v26.0/act_1/insights?{name}={token}&limit=5 failed"
    assert token not in logs.without_secrets(text)
    assert "limit=5" in logs.without_secrets(text)


@given(token=TOKENS)
def test_a_bearer_token_is_blotted_out(token: str):
    assert token not in logs.without_secrets(f"Authorization: Bearer {token}")


def test_a_known_secret_is_blotted_out_in_our_lines_and_in_those_of_libraries(
    capsys: pytest.CaptureFixture[str],
):
    logs.configure(level="info", secrets=["sandbox-write-abcdef"])
    try:
        structlog.get_logger().info("sent", body="token sandbox-write-abcdef", tries=2)
        logging.getLogger("some.library").warning("url has %s inside", "sandbox-write-abcdef")
    finally:
        structlog.reset_defaults()
        logging.basicConfig(force=True)
    written = capsys.readouterr().err
    assert "sandbox-write" not in written
    assert "tries=2" in written
    assert "url has" in written
