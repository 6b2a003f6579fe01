"""The accounts of a token, with what they are judged by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from intel_ml.core.errors import InvalidValueError, NotFoundError
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.data.collection.onboarding import onboard
from intel_ml.data.meta.reader import MetaReader
from intel_ml.data.store import accounts as stored
from tests.data.graph_server import TOKEN, Graph, Reply, serving

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LISTED = [
    {"id": "act_2", "name": "Two", "currency": "JPY", "timezone_name": "Asia/Tokyo"},
    {"id": "act_1", "name": "One", "currency": "USD", "timezone_name": "America/New_York"},
]


def run(store, targets, now=NOW, listed=LISTED, only=None):
    with serving(Graph(lambda _path, _params: Reply({"data": listed}))) as graph:
        return onboard(store, MetaReader(graph.url, TOKEN), now=now, targets=targets, only=only)


def test_only_the_account_asked_for_is_taken_on(store):
    assert [account.id for account in run(store, {}, only="act_1")] == ["act_1"]
    with store.session() as session:
        assert [account.id for account in stored.accounts(session)] == ["act_1"]
    with pytest.raises(NotFoundError, match="act_1"):
        run(store, {}, only="act_9")


def test_a_target_that_is_not_told_stays_as_it_was(store):
    run(store, {"act_1": (Money(20_00, "USD"), 2.5)})
    found = run(store, {"act_1": (None, 3.0)})
    assert (found[0].target_cpa, found[0].target_roas) == (Money(20_00, "USD"), 3.0)


def test_every_account_is_stored_in_shadow_mode_with_its_targets(store):
    found = run(store, {"act_1": (Money(20_00, "USD"), 2.5)})
    assert [(a.id, a.currency, a.time_zone, a.mode) for a in found] == [
        ("act_1", "USD", "America/New_York", Mode.SHADOW),
        ("act_2", "JPY", "Asia/Tokyo", Mode.SHADOW),
    ]
    assert [(a.target_cpa, a.target_roas) for a in found] == [
        (Money(20_00, "USD"), 2.5),
        (None, None),
    ]


def test_again_keeps_what_people_set_and_when_it_began(store):
    run(store, {"act_1": (Money(20_00, "USD"), None)})
    with store.session() as session:
        stored.set_mode(session, "act_1", Mode.LIVE)
    renamed = [{**LISTED[1], "name": "Renamed"}, LISTED[0]]
    found = run(store, {}, now=NOW + timedelta(days=9), listed=renamed)
    assert (found[0].name, found[0].mode, found[0].target_cpa) == (
        "Renamed",
        Mode.LIVE,
        Money(20_00, "USD"),
    )
    assert found[0].onboarded_at == NOW


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ({"act_9": (None, 2.0)}, "act_9"),
        ({"act_2": (Money(20_00, "USD"), None)}, "JPY"),
    ],
)
def test_a_target_that_cannot_be_is_refused_and_nothing_stored(store, targets, named):
    with pytest.raises(InvalidValueError, match=named):
        run(store, targets)
    with store.session() as session:
        assert stored.accounts(session) == []
