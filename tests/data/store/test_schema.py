from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from intel_ml.core.actions import TRANSITIONS, ActionStatus
from intel_ml.data.store import schema
from intel_ml.data.store.sessions import Store, clock_offset, platform_now, set_clock
from intel_ml.data.store.tables import ActionEvent, AutomationAction, Base

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_migrations_make_exactly_the_tables_of_the_program(store: Store):
    with store.connection() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            d
            for d in compare_metadata(context, Base.metadata)
            if "performance_snapshot_" not in str(d)
        ]
    assert differences == []
    assert schema.current_revision(store) == schema.newest_revision()


def test_every_table_is_prefixed_and_every_key_of_account_data_leads_with_the_account():
    for table in Base.metadata.sorted_tables:
        assert table.name.startswith("intel_")
        if "ad_account_id" in table.columns:
            assert next(iter(table.primary_key.columns)).name == "ad_account_id"


def an_action(number: int = 1, **values: object) -> AutomationAction:
    return AutomationAction(
        **{
            "ad_account_id": "act_1",
            "key": f"k{number}",
            "source": "rules",
            "entity_type": "adset",
            "entity_id": f"e{number}",
            "entity_name": "Summer",
            "action_type": "pause",
            "action_params": {},
            "value_before": {},
            "value_after": {},
            "reason": "why",
            "reasons": [],
            "triggered_metrics": {},
            "stake_minor": 1,
            "data_as_of": NOW,
            "expires_at": NOW,
            "created_at": NOW,
            "updated_at": NOW,
        }
        | values
    )


def test_the_database_allows_exactly_the_drawn_transitions(store: Store):
    wrong = []
    for number, (start, end) in enumerate(product(ActionStatus, ActionStatus)):
        with store.session() as session:
            session.add(an_action(number, status=start, requires_approval=False))
        try:
            with store.connection() as connection:
                move = text("UPDATE intel_automation_action SET status = :s WHERE key = :k")
                connection.execute(move, {"s": end, "k": f"k{number}"})
            moved = True
        except IntegrityError:
            moved = False
        if moved != (start == end or end in TRANSITIONS[start]):
            wrong.append((start, end))
    assert wrong == []


def test_nothing_acts_unapproved(store: Store):
    with pytest.raises(IntegrityError, match="nothing_acts_unapproved"), store.session() as session:
        session.add(an_action(status="approved"))


def test_an_entity_has_at_most_one_open_action(store: Store):
    with store.session() as session:
        session.add(an_action(1))
    with pytest.raises(IntegrityError, match="one_open"), store.session() as session:
        session.add(an_action(2, entity_id="e1"))


@pytest.mark.parametrize(
    "statement", ["UPDATE intel_action_event SET actor = 'x'", "DELETE FROM intel_action_event"]
)
def test_the_journal_cannot_be_changed(store: Store, statement: str):
    with store.session() as session:
        action = an_action()
        session.add(action)
        session.flush()
        session.add(
            ActionEvent(
                ad_account_id="act_1",
                action_id=action.id,
                at=NOW,
                kind="note",
                actor="me",
                detail={},
            )
        )
    with pytest.raises(IntegrityError, match="append-only"), store.connection() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-1"])
def test_a_metric_that_is_no_count_is_refused(store: Store, bad: str):
    values = {"a": "act_1", "t": "ad", "e": "1", "d": NOW.date(), "s": NOW, "bad": float(bad)}
    with pytest.raises(IntegrityError, match="not_negative"), store.connection() as connection:
        connection.execute(
            text(
                "INSERT INTO intel_performance_daily (ad_account_id, entity_type, entity_id, day,"
                " seen_at, source, is_total, conversions)"
                " VALUES (:a, :t, :e, :d, :s, 'api', false, :bad)"
            ),
            values,
        )


def test_the_clock_follows_a_sandbox_and_is_the_databases_without_one(store: Store):
    with store.session() as session:
        assert clock_offset(session) == timedelta(0)
        ahead = platform_now(session) + timedelta(days=3)
        set_clock(session, now=ahead)
        assert abs(platform_now(session) - ahead) < timedelta(seconds=5)
