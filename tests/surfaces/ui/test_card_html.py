"""A card says everything in the order in which it is read, and a hostile name does nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ActionStatus, ActionType
from intel_ml.core.recommendations import Source
from intel_ml.operations.values import Value
from intel_ml.reporting.cards import Card
from intel_ml.surfaces.ui.card_html import card_html, change_words, queue_html

EVIL = '<img src=x onerror="alert(1)">'


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def _shape(html: str) -> tuple[list[str], list[str]]:
    parts = _Parts()
    parts.feed(html)
    return parts.tags, parts.attributes


def _named(card: Card, name: str) -> Card:
    return replace(
        card,
        entity_name=name,
        headline=f"Pause ad set {name}",
        why=name,
        account_name=name,
        proposer=name,
        similar=name,
        expected=name,
        policy_says=name,
        says=name,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.text(min_size=1, max_size=200) | st.just(EVIL))
def test_no_name_changes_what_a_card_is_made_of(card: Card, now: datetime, name: str) -> None:
    def drawn(one: Card) -> str:
        return queue_html([one], opened=None, now=now) + card_html(one, now=now, largest_percent=30)

    tags, attributes = _shape(drawn(_named(card, name)))
    assert "img" not in tags
    assert not any(attribute.startswith("on") for attribute in attributes)
    assert tags == _shape(drawn(_named(card, "plain")))[0]


def test_a_card_is_read_in_the_promised_order(card: Card, now: datetime) -> None:
    html = card_html(card, now=now, largest_percent=30)
    read = [
        "Pause ad set <em>Summer Sale</em>",
        "68.50 USD per purchase",
        'data-do="approve"',
        "Reasons",
        "Last 14 days",
        "What is expected",
        "Rule CPA Exceeds 2x Target v3",
        "The policy would also pause it",
        "3 similar approved",
    ]
    places = [html.index(part) for part in read]
    assert places == sorted(places)
    assert "200.00 USD" in html
    assert "3 h left" in html


def test_each_button_shows_its_key(card: Card, now: datetime) -> None:
    html = card_html(card, now=now, largest_percent=30)
    for key in "ARM":
        assert f"<kbd>{key}</kbd>" in html


def test_a_reason_shows_observed_and_threshold_with_the_unit(card: Card, now: datetime) -> None:
    html = card_html(card, now=now, largest_percent=30)
    assert '<td class="num">68.50 USD</td><td class="num">&gt; 40.00 USD</td>' in html


def test_changes_are_offered_within_the_limit_and_with_exact_amounts(
    card: Card, now: datetime
) -> None:
    html = card_html(card, now=now, largest_percent=20)
    assert "40.00 → 48.00 USD a day" in html
    assert 'data-change="-30"' not in html
    assert 'data-change="pause"' not in html  # the proposal itself is a pause


def test_without_a_budget_there_is_only_the_pause_to_choose(card: Card, now: datetime) -> None:
    bare = Value("USD", None, "ACTIVE")
    html = card_html(
        replace(card, value_before=bare, action_type=ActionType.DECREASE_BUDGET, percent=-20),
        now=now,
        largest_percent=30,
    )
    assert html.count("data-change=") == 1
    assert 'data-change="pause"' in html


@pytest.mark.parametrize("status", [one for one in ActionStatus if one != "pending_approval"])
def test_a_decided_card_says_what_happened_and_takes_no_second_decision(
    card: Card, now: datetime, status: ActionStatus
) -> None:
    decided = replace(card, status=status, says="Said so.")
    html = card_html(decided, now=now, largest_percent=30)
    assert 'data-do="approve"' not in html
    assert "<b>Said</b> so." in html
    assert 'data-do="undo"' not in html
    html = card_html(replace(decided, may_undo=True), now=now, largest_percent=30)
    assert 'data-do="undo"' in html


def test_tries_stand_under_one_heading_that_approves_them_together(
    card: Card, now: datetime
) -> None:
    tried = replace(card, source=Source.EXPLORATION)
    html = queue_html([card, tried, tried], opened=None, now=now)
    assert html.count('class="group"') == 1
    assert "2 random tries" in html
    assert html.index("data-open") < html.index("approve-tries") < html.index("data-chance")
    assert "approve-tries" not in queue_html([card], opened=None, now=now)
    assert "Random try" in card_html(tried, now=now, largest_percent=30)


def test_trouble_is_a_sign_and_not_only_red(card: Card, now: datetime) -> None:
    html = card_html(replace(card, status=ActionStatus.FAILED), now=now, largest_percent=30)
    assert "⚠" in html


def test_without_a_model_the_card_says_so(card: Card, now: datetime) -> None:
    bare = replace(
        card, policy_arm=None, policy_pmf={}, policy_says="No model had a view.", agrees=None
    )
    assert "No model had a view." in card_html(bare, now=now, largest_percent=30)


def test_a_yen_budget_changes_by_whole_yen() -> None:
    words = change_words(Value("JPY", 6001, "ACTIVE"), Value("JPY", 4801, "ACTIVE"))
    assert words == "6,001 → 4,801 JPY a day"
