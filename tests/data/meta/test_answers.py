"""What an answer of the Graph API means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import (
    PlatformError,
    RefusedChangeError,
    ThrottledError,
    TokenError,
    TransientPlatformError,
)
from intel_ml.data.meta.answers import (
    Asked,
    platform_error,
    read_answer,
    wants_less,
    without_secrets,
)

BUSINESS_MINUTES = (
    '{"66782684":[{"type":"ads_management","estimated_time_to_regain_access":0},'
    '{"type":"ads_insights","estimated_time_to_regain_access":7}]}'
)


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (1, None, TransientPlatformError),
        (1, 99, TransientPlatformError),
        (1, 2853001, PlatformError),
        (2, None, TransientPlatformError),
        (2, 1504041, PlatformError),  # permanent although its code is 2
        (2, 1504042, PlatformError),
        (960, None, TransientPlatformError),
        (4, 1504022, ThrottledError),
        (17, 2446079, ThrottledError),
        (32, None, ThrottledError),
        (341, None, ThrottledError),
        (613, 1487742, ThrottledError),
        (80000, None, ThrottledError),
        (80004, None, ThrottledError),
        (80014, None, ThrottledError),
        (102, None, TokenError),
        (190, 463, TokenError),
        (10, None, TokenError),
        (200, None, TokenError),
        (294, None, TokenError),
        (100, None, PlatformError),
        (100, 33, PlatformError),
        (803, None, PlatformError),
        (2635, None, PlatformError),
        (368, 1404082, PlatformError),
    ],
)
def test_code_and_subcode_decide_what_to_do(code, subcode, expected):
    error = platform_error({"message": "m", "code": code, "error_subcode": subcode}, status=400)
    assert type(error) is expected
    assert (error.code, error.subcode, error.status) == (code, subcode, 400)


@pytest.mark.parametrize(
    ("code", "subcode"), [(100, 1885272), (2703, None), (2695, None), (100, 1885621), (368, None)]
)
def test_what_is_permanent_for_a_change_is_a_refused_change(code, subcode):
    error = platform_error({"code": code, "error_subcode": subcode}, asked=Asked.CHANGE)
    assert type(error) is RefusedChangeError


@pytest.mark.parametrize(
    ("code", "subcode", "headers", "seconds"),
    [
        (
            80000,
            None,
            {"X-Business-Use-Case-Usage": BUSINESS_MINUTES},
            420,
        ),  # the second entry's 7 minutes
        (17, 1885172, {}, 86400),
        (613, 1487632, {}, 3600),
        (613, None, {}, 3600),
        (613, 5044001, {}, 1),
        (4, None, {}, 300),
        (4, None, {"Retry-After": "12"}, 12),
    ],
)
def test_a_throttled_answer_says_how_long_to_wait(code, subcode, headers, seconds):
    error = platform_error({"code": code, "error_subcode": subcode}, headers=headers)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        None,
        "<html><body>502 Bad Gateway</body></html>",
        '{"data": [{"id": "1"',
        "Service Unavailable",
        '"text"',
        "7",
        "null",
        '{"error": "something went wrong"}',
        '{"error": null}',
        '{"success": false}',
        "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_a_passing_fault_without_a_code(body):
    with pytest.raises(TransientPlatformError) as caught:
        read_answer(body, status=200)
    assert caught.value.code is None


def test_a_server_error_with_json_is_still_an_error():
    with pytest.raises(TransientPlatformError):
        read_answer('{"data": []}', status=500)


def test_error_data_that_is_not_json_does_not_hide_the_error():
    body = {"error": {"code": 190, "error_subcode": 463, "error_data": "not { json"}}
    with pytest.raises(TokenError):
        read_answer(json.dumps(body), status=400)


def test_a_transient_flag_makes_an_unknown_code_worth_another_try():
    assert type(platform_error({"code": 999, "is_transient": True})) is TransientPlatformError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 1, "message": "Please reduce the amount of data you're asking for"}, True),
        ({"code": 100, "error_subcode": 1487534}, True),
        ({"code": 2, "error_subcode": 1504038}, True),
        ({"code": 1, "message": "An unknown error occurred"}, False),
    ],
)
def test_only_too_much_data_asks_for_less(error, expected):
    assert wants_less(platform_error(error)) is expected


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=60))
def test_no_token_survives_in_a_text(token):
    secret = f"EAA{token}"
    for text in (
        f"GET /v26.0/me?access_token={secret}&limit=5",
        f'{{"access_token": "{secret}", "x": 1}}',
        f"next=https%3A%2F%2Fgraph?access_token%3D{secret}",
        f"appsecret_proof={secret}",
        f"the token {secret} itself",
    ):
        assert secret not in without_secrets(text, secret)


def test_a_token_in_an_error_message_is_not_repeated():
    message = "Invalid OAuth access token: EAAB0123456789abcdefABCDEF"
    error = platform_error({"message": message, "code": 190})
    assert "EAAB0123456789" not in str(error)


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_any_json_is_an_answer_or_an_error_of_ours(value):
    try:
        found = read_answer(json.dumps(value), status=200)
    except PlatformError:
        return
    assert isinstance(found, dict | list)
