"""Other sites cannot act in a visitor's name, and login leads nowhere else."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from intel_ml.core.errors import InvalidValueError
from intel_ml.surfaces.ui.guards import insert, is_foreign
from intel_ml.surfaces.ui.people import login_path, own_path
from intel_ml.surfaces.ui.visits import ask_of


@pytest.mark.parametrize(
    ("method", "headers", "says"),
    [
        ("GET", {"origin": "http://evil.example"}, "served"),
        ("POST", {"host": "localhost:5502", "origin": "http://localhost:5502"}, "served"),
        ("POST", {"host": "localhost:5502", "origin": "http://localhost:5503"}, "refused"),
        ("POST", {"host": "localhost:5502", "origin": "http://evil.example"}, "refused"),
        ("POST", {"host": "localhost:5502", "origin": "null"}, "refused"),
        ("POST", {"host": "localhost:5502", "sec-fetch-site": "cross-site"}, "refused"),
        ("POST", {"host": "localhost:5502", "sec-fetch-site": "same-site"}, "refused"),
        ("POST", {"host": "localhost:5502", "sec-fetch-site": "same-origin"}, "served"),
        ("DELETE", {"host": "localhost:5502", "origin": "http://evil.example"}, "refused"),
    ],
)
def test_a_change_asked_for_by_another_origin_is_refused(
    method: str, headers: dict[str, str], says: str
) -> None:
    assert is_foreign(method, Headers(headers)) is (says == "refused")


@pytest.mark.parametrize(
    "evil", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"]
)
def test_login_goes_on_to_our_own_pages_only(evil: str) -> None:
    assert own_path(evil) == "/"


def test_a_link_to_a_card_survives_the_login() -> None:
    assert login_path("/?action=7") == "/login?next=%2F%3Faction%3D7"
    assert own_path("/?action=7") == "/?action=7"


def test_a_page_without_a_body_stays_as_it_is() -> None:
    assert insert(b'{"not": "html"}', head=b"x", content=b"y") == b'{"not": "html"}'


@pytest.mark.parametrize(
    "sent", [None, 3, [], "look", {"opened": "act_1"}, {"opened": "act_1:x"}, {"keys": ["7"]}]
)
def test_nonsense_from_a_browser_is_refused_in_words(sent: object) -> None:
    with pytest.raises(InvalidValueError):
        ask_of(sent)


def test_what_a_browser_sends_is_cut_to_length() -> None:
    asked = ask_of({"search": "x" * 10_000, "keys": [f"act_1:{n}" for n in range(2_000)]})
    assert len(asked.search) == 500
    assert len(asked.keys) == 500
