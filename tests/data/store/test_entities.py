"""The account's structure, and who changed it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from intel_ml.core.ids import AdAccountId, EntityId, EntityType
from intel_ml.data.facts import Described
from intel_ml.data.store.entities import add_entities, entities, write_entities
from intel_ml.data.store.tables import AutomationAction

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = AdAccountId("act_1")
ADSET = Described(
    ACCOUNT,
    EntityType.ADSET,
    EntityId("11"),
    "Lookalike 2%",
    "ACTIVE",
    "ACTIVE",
    campaign_id=EntityId("1"),
    daily_budget_minor=5000,
    learning_stage="LEARNING",
    learning_conversions=3,
    issues=[{"error_code": 1, "error_message": "odd"}],
    created_at=NOW - 100 * HOUR,
)
AD = Described(
    ACCOUNT,
    EntityType.AD,
    EntityId("111"),
    "Red",
    "ACTIVE",
    "ACTIVE",
    EntityId("1"),
    EntityId("11"),
)


def look(store, *found, after=0):
    with store.connection() as connection:
        return write_entities(connection, found, seen_at=NOW + after * HOUR)


def revisions(store):
    with store.connection() as connection:
        found = connection.execute(
            text(
                "SELECT entity_id, seen_at, changes, changed_by FROM intel_entity_revision "
                "ORDER BY seen_at, entity_id"
            )
        )
        return [(r.entity_id, (r.seen_at - NOW) // HOUR, r.changes, r.changed_by) for r in found]


def our_action(
    store, *, hours: float, after: dict, entity=("adset", "11"), status="executed"
) -> None:
    at = NOW + hours * HOUR
    with store.session() as session:
        session.add(
            AutomationAction(
                ad_account_id=ACCOUNT,
                key=uuid.uuid4().hex,
                source="rules",
                entity_type=entity[0],
                entity_id=entity[1],
                entity_name="x",
                action_type="decrease_budget",
                action_params={},
                value_before={},
                value_after=after,
                status=status,
                reason="r",
                reasons=[],
                triggered_metrics={},
                stake_minor=0,
                data_as_of=at,
                requires_approval=False,
                executed_at=at,
                expires_at=at,
                created_at=at,
                updated_at=at,
            )
        )


def test_what_is_written_is_read_back_whole(store):
    written = look(store, ADSET, AD)
    assert (written.entities, written.new, written.changed) == (2, 2, 0)
    with store.session() as session:
        assert entities(session, ACCOUNT) == [AD, ADSET]
        assert entities(session, "act_2") == []


def test_the_same_look_twice_changes_nothing(store):
    look(store, ADSET, AD)
    assert look(store, ADSET, AD).changed == 0
    assert look(store, ADSET, AD, after=1).changed == 0
    assert revisions(store) == []
    with store.connection() as connection:
        seen = connection.execute(text("SELECT DISTINCT seen_at FROM intel_entity")).scalars().all()
    assert seen == [NOW + HOUR]


def test_an_edit_that_is_not_ours_is_from_outside(store):
    look(store, ADSET)
    look(store, replace(ADSET, daily_budget_minor=9000, name="New"), after=1)
    assert revisions(store) == [
        ("11", 1, {"daily_budget_minor": [5000, 9000], "name": ["Lookalike 2%", "New"]}, "outside")
    ]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"hours": 0.5, "after": {"daily_budget_minor": 4000, "currency": "USD"}}, "us"),
        (
            {"hours": 0.5, "after": {"daily_budget_minor": 4500}},
            "outside",
        ),  # ours set another value
        (
            {"hours": -0.5, "after": {"daily_budget_minor": 4000}},
            "outside",
        ),  # ours was before the last look
        (
            {"hours": 0.5, "after": {"daily_budget_minor": 4000}, "entity": ("adset", "12")},
            "outside",
        ),
        ({"hours": 0.5, "after": {"daily_budget_minor": 4000}, "status": "failed"}, "outside"),
        ({"hours": 0.5, "after": {"daily_budget_minor": 4000}, "status": "needs_review"}, "us"),
    ],
)
def test_an_edit_is_ours_when_an_action_of_ours_set_that_value_since_the_last_look(
    store, action, expected
):
    look(store, ADSET)
    our_action(store, **action)
    look(store, replace(ADSET, daily_budget_minor=4000), after=1)
    assert [by for *_, by in revisions(store)] == [expected]


def test_one_foreign_edit_beside_ours_makes_the_change_foreign(store):
    look(store, ADSET)
    our_action(store, hours=0.5, after={"daily_budget_minor": 4000})
    look(store, replace(ADSET, daily_budget_minor=4000, name="Renamed"), after=1)
    assert [by for *_, by in revisions(store)] == ["outside"]


def test_what_our_pause_does_to_the_ads_below_is_ours(store):
    look(store, ADSET, AD)
    our_action(store, hours=0.5, after={"status": "PAUSED"})
    paused = replace(ADSET, configured_status="PAUSED", effective_status="PAUSED")
    look(store, paused, replace(AD, effective_status="ADSET_PAUSED"), after=1)
    assert [(i, by) for i, _, _, by in revisions(store)] == [("11", "us"), ("111", "us")]


def test_progress_in_learning_is_kept_but_is_no_revision(store):
    look(store, ADSET)
    look(store, replace(ADSET, learning_conversions=4), after=1)
    assert revisions(store) == []
    with store.session() as session:
        assert entities(session, ACCOUNT)[0].learning_conversions == 4


def test_an_older_look_does_not_overwrite_a_newer_one(store):
    look(store, replace(ADSET, name="now"), after=2)
    look(store, replace(ADSET, name="then"), after=1)
    with store.session() as session:
        assert entities(session, ACCOUNT)[0].name == "now"
    assert revisions(store) == []


def test_what_is_not_listed_any_more_stays(store):
    look(store, ADSET, AD)
    look(store, ADSET, after=1)
    with store.session() as session:
        assert len(entities(session, ACCOUNT)) == 2


def test_two_changes_seen_at_one_moment_are_one_revision(store):
    look(store, ADSET)
    look(store, replace(ADSET, name="b"), after=1)
    look(store, replace(ADSET, name="b", daily_budget_minor=1), after=1)
    assert revisions(store) == [
        ("11", 1, {"name": ["Lookalike 2%", "b"], "daily_budget_minor": [5000, 1]}, "outside")
    ]


def test_adding_leaves_what_is_known_alone(store):
    look(store, ADSET)
    with store.connection() as connection:
        assert add_entities(connection, [replace(ADSET, name="file"), AD], seen_at=NOW + HOUR) == 1
    with store.session() as session:
        assert [e.name for e in entities(session, ACCOUNT)] == ["Red", "Lookalike 2%"]


def test_an_entity_listed_twice_is_one(store):
    look(store, ADSET, replace(ADSET, name="later"))
    with store.session() as session:
        assert [e.name for e in entities(session, ACCOUNT)] == ["later"]


def test_hostile_names_are_only_text(store):
    hostile = replace(
        ADSET, name="'; DROP TABLE intel_entity; --\t\n\\N\\.<img src=x onerror=1>=cmd|\u202e"
    )
    look(store, hostile)
    with store.session() as session:
        assert entities(session, ACCOUNT) == [hostile]


def versions(store):
    with store.connection() as connection:
        found = connection.execute(
            text(
                "SELECT entity_id, seen_at, daily_budget_minor, learning_stage "
                "FROM intel_entity_version ORDER BY seen_at, entity_id"
            )
        )
        return [(row[0], (row[1] - NOW) // HOUR, *row[2:]) for row in found]


def test_each_change_that_features_read_makes_a_version_and_nothing_else_does(store):
    look(store, ADSET, AD)
    look(store, replace(ADSET, learning_conversions=4, name="Lookalike 3%"), AD, after=1)
    look(store, replace(ADSET, daily_budget_minor=6000), AD, after=2)
    look(store, replace(ADSET, daily_budget_minor=6000, learning_stage="SUCCESS"), AD, after=3)
    look(store, ADSET, after=1)
    assert versions(store) == [
        ("11", 0, 5000, "LEARNING"),
        ("111", 0, None, None),
        ("11", 2, 6000, "LEARNING"),
        ("11", 3, 6000, "SUCCESS"),
    ]


def test_an_added_entity_has_a_version_and_is_not_given_another(store):
    for after in (0, 1):
        with store.connection() as connection:
            add_entities(connection, [ADSET], seen_at=NOW + after * HOUR)
    assert versions(store) == [("11", 0, 5000, "LEARNING")]
