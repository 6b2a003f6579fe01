"""The reference's requests and shapes, gone through with the official SDK over HTTP."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from facebook_business.exceptions import FacebookRequestError

from tests.data.sandbox.conformance.conftest import Sandbox
from tests.data.sandbox.conformance.shapes import misfit

HERE = Path(__file__).parent
# The SDK itself doubts what the refused cases send, and sends it all the same.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:facebook_business")


def cases(name: str) -> list[Any]:
    found = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["case"]
    return [pytest.param(one, id=one["name"]) for one in found]


def filled(sandbox: Sandbox, value: Any) -> Any:
    """Return parameters with `$adset/Own` and the like as ids."""
    if isinstance(value, dict):
        return {filled(sandbox, name): filled(sandbox, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(sandbox, inner) for inner in value]
    is_symbol = isinstance(value, str) and value.startswith("$")
    return sandbox.id_of(value[1:]) if is_symbol else value


def asked(sandbox: Sandbox, case: dict[str, Any], *, writes: bool) -> Any:
    """Return the SDK's answer to a case as plain values."""
    subject = sandbox.object(case["object"], writes=writes)
    if "id" in case:
        subject = type(subject)(case["id"], api=subject._api)
    params = filled(sandbox, case.get("params", {}))
    answer = getattr(subject, case["call"])(fields=case.get("fields", []), params=params)
    if case.get("list"):
        return [one.export_all_data() for one in answer]
    return answer.export_all_data()


def code_of(error: FacebookRequestError) -> dict[str, Any]:
    told = {
        "code": error.api_error_code(),
        "subcode": error.api_error_subcode(),
        "status": error.http_status(),
    }
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize("case", cases("reading.toml"))
def test_reading(sandbox: Sandbox, case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(FacebookRequestError) as refused:
            asked(sandbox, case, writes=False)
        assert code_of(refused.value).items() >= case["error"].items()
        return
    answer = asked(sandbox, case, writes=False)
    shape = [case["shape"]] if case.get("list") and case.get("count") != 0 else case["shape"]
    if case.get("count") == 0:
        assert answer == []
        return
    assert misfit(answer, shape) is None
    assert len(answer) == case.get("count", len(answer))


@pytest.mark.parametrize("case", cases("writing.toml"))
def test_writing(sandbox: Sandbox, case: dict[str, Any]) -> None:
    target = sandbox.object(case.get("of", case["object"]))
    if "error" in case:
        with pytest.raises(FacebookRequestError) as refused:
            asked(sandbox, case, writes=True)
        assert code_of(refused.value).items() >= case["error"].items()
        assert refused.value.body()["error"]["fbtrace_id"]
        answer = {}
    else:
        answer = asked(sandbox, case, writes=True)
        # Of an update the SDK keeps no answer; the record has it.
        assert "shape" not in case or misfit(answer, case["shape"]) is None
    (written,) = sandbox.control.platform.writes
    assert "error" in case or "shape" in case or written.body == {"success": True}
    assert written.is_applied is case.get("applied", "error" not in case)
    assert written.token == "write"  # noqa: S105  # the kind of the token, never the token
    if "then" in case:
        seen = target.api_get(fields=list(case["then"])).export_all_data()
        assert {name: seen.get(name) for name in case["then"]} == case["then"]
    if "copy" in case:
        kind = case["object"].partition("/")[0]
        made = type(sandbox.object(case["object"]))(answer[f"copied_{kind}_id"], api=sandbox.reader)
        seen = made.api_get(fields=list(case["copy"])).export_all_data()
        assert {name: seen[name] for name in case["copy"]} == filled(sandbox, case["copy"])
        if "below" in case:
            assert [one["name"] for one in made.get_ads(fields=["name"])] == case["below"]
