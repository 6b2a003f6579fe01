"""Writes and what they truly do to delivery; what is refused changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.periods import BudgetPeriod, Raise
from intel_ml.data.sandbox.spending import Limits
from intel_ml.data.sandbox.timing import daily_budget_at, turning_points

START = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.fixture
def world(small_file: Any) -> World:
    world = World.load(small_file, start=START)
    world.advance(5)
    return world


@pytest.fixture
def ask(ask_of: Any, world: World) -> Any:
    return ask_of(world)


def good(answer: Any) -> Any:
    assert answer.status == 200, answer.body
    return answer.body


def spend(world: World, row: int, *, since: int) -> int:
    ads = np.flatnonzero(world.population.ad_traits.adset == row)
    return int(world.ledger.windows([(since, world.hour)], ads=ads)[Column.SPEND].sum())


def whole_day(world: World) -> int:
    """Advance to midnight in New York; return the hour."""
    while (world.now.astimezone(UTC).hour) != 4:
        world.advance(1)
    return world.hour


def test_a_daily_cap_holds_an_ad_set_back_and_the_rest_goes_to_its_sibling(
    world: World, ask: Any
) -> None:
    since = whole_day(world)
    still = world.fork()
    capped, other = 2, 3
    still.advance(24)
    without = spend(still, capped, since=since)
    cap = without // 2
    good(ask.post(world.population.adsets[capped].id, daily_spend_cap=str(cap)))
    world.advance(24)
    assert spend(world, capped, since=since) <= cap
    assert spend(world, other, since=since) > spend(still, other, since=since)


def test_a_daily_target_gives_an_ad_set_more_of_the_campaign(world: World, ask: Any) -> None:
    since = whole_day(world)
    still = world.fork()
    still.advance(24)
    least = min((2, 3), key=lambda row: spend(still, row, since=since))
    good(ask.post(world.population.adsets[least].id, daily_min_spend_target="12000"))
    world.advance(24)
    assert spend(world, least, since=since) > spend(still, least, since=since)
    both = [spend(one, 2, since=since) + spend(one, 3, since=since) for one in (world, still)]
    assert both[0] <= 150_00 * 1.05, "a target makes no money"


def test_a_spend_cap_ends_the_delivery_of_a_campaign_until_it_is_taken_away(
    world: World, ask: Any
) -> None:
    campaign = world.population.campaigns[0]
    good(ask.post(campaign.id, spend_cap="40000"))
    world.advance(24 * 3)
    assert sum(spend(world, row, since=0) for row in (0, 1)) <= 40000
    since = world.hour
    world.advance(24)
    assert spend(world, 0, since=since) == 0
    good(ask.post(campaign.id, spend_cap="922337203685478"))
    world.advance(24)
    assert spend(world, 0, since=since) > 0


@settings(max_examples=60)
@given(
    part=st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda one: sum(one) > 0.1),
    least=st.lists(st.floats(0, 60), min_size=6, max_size=6),
    most=st.lists(st.floats(1, 200), min_size=6, max_size=6),
)
def test_shares_under_limits_never_make_money_and_never_break_a_cap(
    part: list[float], least: list[float], most: list[float]
) -> None:
    count = len(part)
    share = np.array(part) / sum(part)
    low, high = np.array(least[:count]), np.array(most[:count])
    limits = Limits(np.minimum(low, high), high, np.array([np.inf]))
    pool = np.full(count, 100.0)
    found = limits.parts(share, pool=pool, campaign=np.zeros(count, dtype=int))
    assert found.sum() <= 1 + 1e-9
    assert (found * 100 <= high + 1e-6).all()
    assert (found >= 0).all()


def test_a_scheduled_raise_delivers_more_while_it_lasts_and_not_after(
    world: World, ask: Any
) -> None:
    since = whole_day(world)
    still = world.fork()
    adset = world.population.adsets[0]
    start, end = world.now + timedelta(hours=24), world.now + timedelta(hours=48)
    form = {
        "time_start": str(int(start.timestamp())),
        "time_end": end.isoformat(),
        "budget_value": "100",
        "budget_value_type": "MULTIPLIER",
    }
    made = good(ask.post(f"{adset.id}/budget_schedules", **form))
    (told,) = ask.rows(f"{adset.id}/budget_schedules")
    assert told["id"] == made["id"]
    days = []
    for _ in range(3):
        world.advance(24)
        still.advance(24)
        days.append((spend(world, 0, since=since), spend(still, 0, since=since)))
        since = world.hour
    assert days[0][0] == days[0][1]
    assert days[1][0] > 1.6 * days[1][1]
    assert 0.8 < days[2][0] / days[2][1] < 1.2
    assert adset.daily_budget_minor == 200_00
    assert world.fork().population.adsets[0].periods == adset.periods


def test_the_highest_of_the_raises_that_last_is_in_force(world: World) -> None:
    node = world.population.adsets[0]
    node.periods = (
        BudgetPeriod("1", START, START + timedelta(hours=9), 50, Raise.MULTIPLIER),
        BudgetPeriod("2", START, START + timedelta(minutes=200), 300_00, Raise.ABSOLUTE),
    )
    assert daily_budget_at(node, START) == 500_00
    assert daily_budget_at(node, START + timedelta(hours=4)) == 300_00
    assert daily_budget_at(node, START + timedelta(hours=9)) == 200_00
    hours = {(one - START) / timedelta(hours=1) for one in turning_points(world.population)}
    assert {0, 4, 9} <= hours, "a part of an hour counts from the next whole one"


def test_a_copy_runs_between_its_start_and_its_end(world: World, ask: Any) -> None:
    start, end = world.now + timedelta(hours=20), world.now + timedelta(hours=50)
    body = good(
        ask.post(
            f"{world.population.adsets[1].id}/copies",
            deep_copy="true",
            status_option="ACTIVE",
            start_time=start.isoformat(),
            end_time=end.isoformat(),
        )
    )
    row = world.population.rows[body["copied_adset_id"]][1]
    spent = []
    for hours in (20, 30, 30):
        since = world.hour
        world.advance(hours)
        spent.append(spend(world, row, since=since))
    assert spent[0] == spent[2] == 0
    assert spent[1] > 0


def test_a_copy_of_what_has_ended_starts_now_and_lasts_as_long(world: World, ask: Any) -> None:
    source = world.population.adsets[0]
    source.begin, source.end = START, START + timedelta(hours=4)
    body = good(ask.post(f"{source.id}/copies", status_option="ACTIVE"))
    copy = world.node(body["copied_adset_id"])
    assert (copy.begin, copy.end) == (world.now, world.now + timedelta(hours=4))


def test_copies_are_found_by_their_source(world: World, ask: Any) -> None:
    source = world.population.campaigns[1]
    made = [
        good(ask.post(f"{source.id}/copies", deep_copy="true"))["copied_campaign_id"]
        for _ in range(2)
    ]
    found = ask.rows(f"{source.id}/copies", fields="source_campaign_id")
    assert [one["id"] for one in found] == made
    assert {one["source_campaign_id"] for one in found} == {source.id}
    pairs = [
        (ask.rows(f"{one}/adsets", fields="name"), ask.rows(f"{one}/ads", fields="name"))
        for one in (source.id, made[0])
    ]
    assert [[[row["name"] for row in rows] for rows in pair] for pair in pairs] == [
        [["Broad", "Stacked"], ["A", "B", "A"]]
    ] * 2
    world.advance(3)


def test_an_ad_copied_into_an_ad_set_restarts_its_learning(world: World, ask: Any) -> None:
    world.advance(24 * 8)
    adset = world.population.adsets[0]
    before = good(ask.get(adset.id, fields="learning_stage_info"))["learning_stage_info"]
    assert before["status"] == "SUCCESS"
    good(ask.post(f"{world.population.ads[4].id}/copies", adset_id=adset.id))
    after = good(ask.get(adset.id, fields="learning_stage_info"))["learning_stage_info"]
    assert after["status"] == "LEARNING"
    assert after["last_sig_edit_ts"] == int(world.now.timestamp()) > before["last_sig_edit_ts"]


@pytest.mark.parametrize(
    ("form", "restarts"),
    [
        ({"daily_budget": "21000"}, False),
        ({"daily_budget": "90000"}, True),
        ({"bid_strategy": "COST_CAP", "bid_amount": "2000"}, True),
        ({"name": "Another"}, False),
    ],
)
def test_what_restarts_learning_shows_when_it_was_edited(
    world: World, ask: Any, *, form: dict[str, str], restarts: bool
) -> None:
    world.advance(24 * 8)
    adset = world.population.adsets[0]
    good(ask.post(adset.id, **form))
    told = good(ask.get(adset.id, fields="learning_stage_info"))["learning_stage_info"]
    assert (told["last_sig_edit_ts"] == int(world.now.timestamp())) is restarts


def test_a_campaign_s_budget_is_given_up_only_for_budgets_of_all_its_ad_sets(
    world: World, ask: Any
) -> None:
    campaign, (one, two) = world.population.campaigns[1], world.population.adsets[2:4]
    good(ask.post(one.id, daily_spend_cap="6000"))
    split = [
        {"adset_id": one.id, "daily_budget": 7000},
        {"adset_id": two.id, "daily_budget": "8000"},
    ]
    assert ask.post(campaign.id, adset_budgets=json.dumps(split[:1])).status == 400
    dry = {"adset_budgets": json.dumps(split), "execution_options": '["validate_only"]'}
    good(ask.post(campaign.id, **dry))
    assert campaign.daily_budget_minor == 150_00
    good(ask.post(campaign.id, adset_budgets=json.dumps(split)))
    assert campaign.daily_budget_minor is None
    assert [one.daily_budget_minor, two.daily_budget_minor] == [7000, 8000]
    assert "daily_spend_cap" not in good(ask.get(one.id, fields="daily_spend_cap"))
    events = {row["event_type"] for row in ask.rows("act_7/activities", fields="event_type")}
    assert "update_campaign_budget_optimization_toggling_status" in events
    good(ask.post(one.id, daily_budget="7500"))
    world.advance(24)
    assert spend(world, 2, since=5) > 0


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        [
            "bid_constraints",
            "adset_budgets",
            "spend_cap",
            "daily_spend_cap",
            "daily_min_spend_target",
            "rename_options",
            "start_time",
            "deep_copy",
            "time_start",
            "execution_options",
        ]
    ),
    value=st.one_of(
        st.text(max_size=9),
        st.sampled_from(
            ['{"roas_average_floor": true}', '[{"adset_id": 1}]', "[3]", "-1", "9" * 19]
        ),
    ),
    edge=st.sampled_from(["", "/copies", "/budget_schedules"]),
)
def test_nonsense_is_refused_and_leaves_everything_as_it_was(
    ask_of: Any, small_file: Any, name: str, value: str, edge: str
) -> None:
    world = World.load(small_file, start=START)
    ask = ask_of(world)
    for node in (world.population.campaigns[1], world.population.adsets[2]):
        before = world.fork().population
        answer = ask.post(f"{node.id}{edge}", **{name: value})
        assert answer.status in {200, 400}
        if answer.status == 400:
            after = world.population
            assert (before.campaigns, before.adsets) == (after.campaigns, after.adsets)


def test_a_write_that_names_two_things_makes_both_or_neither(world: World, ask: Any) -> None:
    adset = world.population.adsets[0]
    assert ask.post(adset.id, status="PAUSED", daily_budget="1").status == 400
    assert adset.status == "ACTIVE"
    good(ask.post(adset.id, status="PAUSED", daily_budget="19000", name="Both"))
    assert (adset.status, adset.daily_budget_minor, adset.name) == ("PAUSED", 19000, "Both")


@pytest.mark.parametrize("name", ["", "  "])
def test_nothing_is_left_without_a_name(world: World, ask: Any, name: str) -> None:
    for node in (*world.population.campaigns[:1], *world.population.adsets[:1]):
        before = node.name
        assert ask.post(node.id, name=name).status == 400
        assert node.name == before


def test_a_campaign_s_strategy_and_bids_hold_its_ad_sets_back(world: World, ask: Any) -> None:
    campaign, (one, two) = world.population.campaigns[1], world.population.adsets[2:4]
    still, since = world.fork(), world.hour
    form = {
        "bid_strategy": "LOWEST_COST_WITH_BID_CAP",
        "adset_bid_amounts": json.dumps({one.id: 300, two.id: "400"}),
    }
    good(ask.post(campaign.id, **form, execution_options='["validate_only"]'))
    assert one.bid_amount_minor is None
    good(ask.post(campaign.id, **form))
    for each in (world, still):
        each.advance(24)
    assert spend(world, 2, since=since) < spend(still, 2, since=since)
    good(ask.post(campaign.id, bid_strategy="LOWEST_COST_WITHOUT_CAP"))
    assert "bid_amount" not in good(ask.get(one.id, fields="bid_amount"))
    since = world.hour
    still.advance(48)
    world.advance(48)
    free = [spend(each, 2, since=since) for each in (world, still)]
    assert free[0] > 0.9 * free[1], "without a cap no bid holds it back"
