"""What a request body may be before anyone reads it."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intel_ml.core.errors import InvalidValueError
from intel_ml.surfaces.api.boundary import LARGEST_BODY, Boundary, parse_strictly

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(value=JSON)
def test_whatever_json_can_say_comes_through_unchanged(value: Any) -> None:
    assert parse_strictly(json.dumps(value).encode()) == value


@settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_either_json_or_refused_in_our_words(body: bytes) -> None:
    with contextlib.suppress(InvalidValueError):
        parse_strictly(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": NaN}', "body"),
        (b'{"a": [1, -Infinity]}', "body"),
        (b'{"a": [1, 1e999]}', "a[1]"),
        (b'{"a": {"b": 99999999999999999999}}', "a.b"),
        (b'{"a": "x\\u0000"}', "a"),
        (b'{"a": "\\ud800"}', "a"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"),
        (b"9" * 5_000, "body"),
        (b"\xff\xfe", "body"),
        (b"{", "body"),
    ],
)
def test_what_cannot_be_stored_or_compared_is_refused_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        parse_strictly(body)
    assert refused.value.path == path


async def _echo(request: Request) -> Response:
    body = await request.body()
    if body == b'"burn"':
        raise RuntimeError("a secret detail")
    return JSONResponse({"bytes": len(body), "type": request.headers.get("content-type")})


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/echo", _echo, methods=["POST"])])
    app.add_middleware(Boundary, status=422)
    return TestClient(app)


def test_a_megabyte_is_refused_declared_or_not(client: TestClient) -> None:
    large = b'"' + b"x" * LARGEST_BODY + b'"'
    assert client.post("/echo", content=large).status_code == 413
    assert client.post("/echo", content=iter([large[:700_000], large[700_000:]])).status_code == 413
    assert (
        client.post("/echo", content=large[: LARGEST_BODY - 1] + b'"').json()["bytes"]
        == LARGEST_BODY
    )


def test_only_json_is_read(client: TestClient) -> None:
    pickled = {"content-type": "application/vnd.bentoml+pickle"}
    assert client.post("/echo", content=b"cos\nsystem\n", headers=pickled).status_code == 415
    assert client.post("/echo", content=b"{}").json()["type"] == "application/json"
    assert client.post("/echo", content=b"").status_code == 200


def test_a_fault_of_ours_is_a_500_that_tells_nothing(client: TestClient) -> None:
    answer = client.post("/echo", content=b'"burn"')
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "internal"
    assert "secret" not in answer.text


def test_numbers_stay_finite() -> None:
    assert math.isfinite(parse_strictly(b"1.7976931348623157e308"))
