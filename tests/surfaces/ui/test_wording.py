"""Text from outside is inert, numbers read like a person wrote them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.surfaces.ui.wording import LONGEST, exact, left, number, quantity, safe, span

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.append(tag)


@given(st.text(max_size=300))
def test_any_text_opens_no_tag_no_attribute_and_no_template(text: str) -> None:
    parser = _Tags()
    parser.feed(f'<i title="{safe(text)}">{safe(text)}</i>')
    assert parser.tags == ["i"]
    assert not set(safe(text)) & set("<>\"'{}$`")


@given(st.text(max_size=50), st.sampled_from(["\u202e", "\x1b[31m", "\u2066", "\x00", "\x9b"]))
def test_direction_overrides_and_escape_codes_are_dropped(text: str, evil: str) -> None:
    assert safe(text + evil) == safe(text)


def test_ten_thousand_characters_do_not_reach_the_page() -> None:
    assert len(safe("x" * 10_000)) <= LONGEST


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_has_words(value: float) -> None:
    assert number(value)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (68.5, "USD", "68.50 USD"),
        (10275.0, "JPY", "10,275 JPY"),
        (None, "USD", "unknown"),
        (-18.24, "%", "\N{MINUS SIGN}18.24%"),
        ("LEARNING", None, "LEARNING"),
    ],
)
def test_a_value_carries_its_unit(value: float | str | None, unit: str | None, words: str) -> None:
    assert quantity(value, unit) == words


def test_the_last_hour_is_pressing_in_words_not_only_in_red() -> None:
    soon = left(NOW + timedelta(minutes=39), now=NOW, zone="UTC")
    assert "only 39 min left" in soon
    assert 'class="danger"' in soon
    assert "danger" not in left(NOW + timedelta(hours=3), now=NOW, zone="UTC")
    assert "time is up" in left(NOW, now=NOW, zone="UTC")


def test_the_exact_moment_is_the_accounts_wall_clock() -> None:
    assert exact(NOW, "Asia/Tokyo") == "Sun 22 Nov 2026, 21:00 Asia/Tokyo"
    assert 'title="Sun 22 Nov 2026, 13:00 Europe/Berlin"' in left(
        NOW, now=NOW, zone="Europe/Berlin"
    )


def test_spans_keep_two_units() -> None:
    assert span(timedelta(days=1, hours=2, minutes=59)) == "1 d 2 h"
