"""One shape for every refusal, with the status that says whose turn it is."""

from __future__ import annotations

import pytest

from intel_ml.core.errors import (
    ConflictError,
    IntelError,
    InvalidValueError,
    ModelRefusedError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    UnknownNameError,
)
from intel_ml.surfaces.api.refusals import path_of, refusal, refusal_of, unknown_field
from intel_ml.surfaces.auth import NotLoggedInError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotLoggedInError("who?"), 401),
        (NotAllowedError("no"), 403),
        (NotFoundError("nothing"), 404),
        (ConflictError("first"), 409),
        (InvalidValueError(path="a", problem="b"), 422),
        (UnknownNameError(kind="field", name="spnd", known=["spend"]), 422),
        (UnavailableError(service="It", check="look"), 503),
        (ModelRefusedError("bad"), 503),
    ],
)
def test_each_error_has_its_status_and_one_shape(error: IntelError, status: int) -> None:
    answer = refusal(error, wrong_use=422)
    assert answer.status_code == status
    said = refusal_of(error).model_dump()
    assert set(said) == {"type", "message", "hint", "path"}
    assert said["message"] == error.message


def test_who_is_not_logged_in_is_told_how_to() -> None:
    assert refusal(NotLoggedInError("who?"), wrong_use=400).headers["www-authenticate"] == "Bearer"


def test_a_misspelt_field_is_answered_with_its_path_and_the_nearest_name() -> None:
    said = refusal_of(unknown_field("state.spnd", ["spend", "clicks"]))
    assert (said.path, said.hint) == ("state.spnd", "Did you mean 'spend'?")


def test_a_path_reads_as_people_write_it() -> None:
    assert path_of(["conditions", "rules", 0, "field"]) == "conditions.rules[0].field"
