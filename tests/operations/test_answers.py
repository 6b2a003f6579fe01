"""One question is answered as the whole account's cycle would answer it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.accounts import Account
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.features.catalogue import Role, feature, names
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import make_policy
from intel_ml.judgement.rules.templates import default_rules
from intel_ml.operations.answers import REQUEST, Asking, consider
from intel_ml.operations.contexts import CONCLUDED_VALID, AccountContext, Versions
from intel_ml.operations.decision_rows import decision_id, row_texts
from intel_ml.operations.judging import Judges, judge
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing
from intel_ml.operations.values import Value as Setting

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ACCOUNT = Account(
    id=AdAccountId("act_1"), name="Shop", currency="USD", time_zone="UTC",
    target_cpa=Money(20_00, "USD"), target_roas=2.5, mode=Mode.SHADOW, source="api",
    onboarded_at=NOW,
)  # fmt: skip
FIELDS = names(role=Role.STATE)
NUMBER = st.none() | st.sampled_from([0.0, 1.0, 2.5, 51.0, 1001.0]) | st.floats(-1e6, 1e6)


@dataclass(frozen=True)
class InUse:
    """A policy as the registry would give it."""

    policy: Any
    name: str = "campaign-policy"
    version: str = "7"


@st.composite
def a_state(draw: st.DrawFn) -> dict[str, Value]:
    return {
        name: draw(
            st.sampled_from([None, *feature(name).words]) if feature(name).is_word else NUMBER
        )
        for name in FIELDS
    }


@st.composite
def an_entity(draw: st.DrawFn, number: int) -> tuple[Standing, dict[str, Value]]:
    entity = Entity(ACCOUNT.id, draw(st.sampled_from(list(EntityType))), EntityId(str(number)))
    standing = Standing(
        entity=entity,
        name="x",
        value=Setting("USD", draw(st.none() | st.integers(100, 10**6)), "ACTIVE"),
        effective_status=draw(st.sampled_from(["ACTIVE", "PAUSED"])),
        is_budget_set_above=draw(st.booleans()),
        busy=draw(st.none() | st.just("a proposal is open")),
    )
    return standing, draw(a_state())


@settings(deadline=None, max_examples=60)
@given(
    first=an_entity(1), second=an_entity(2), third=an_entity(3), mode=st.sampled_from(list(Mode))
)
def test_asked_alone_or_decided_with_all_others_the_view_of_an_entity_is_the_same(
    first: tuple[Standing, dict[str, Value]],
    second: tuple[Standing, dict[str, Value]],
    third: tuple[Standing, dict[str, Value]],
    mode: Mode,
) -> None:
    given_ = [first, second, third]
    entities = [standing.entity for standing, _ in given_]
    together = states_of([s for _, s in given_], entities=entities, moments=[NOW] * 3)
    context = _context(given_, together)
    policy, challenger = InUse(make_policy("uniform")), InUse(make_policy("uniform"), version="8")
    asking = Asking(now=NOW, limits=Limits(), policy=policy, challenger=challenger, mode=mode)
    judges = Judges(
        rules=context.rules, policy=policy, archetypes={}, mode=mode, limits=Limits(),
        currency="USD", challenger=challenger,
    )  # fmt: skip
    keys = [decision_id(entity, as_of=NOW, trigger=REQUEST) for entity in entities]
    whole = judge(together, context.places, judges, keys=keys).judged
    for entity, expected in zip(entities, whole, strict=True):
        (alone,) = consider(context, [entity], asking).decided
        assert _plain(alone.judged) == _plain(expected)
    assert [_plain(one.judged) for one in consider(context, entities, asking).decided] == [
        _plain(one) for one in whole
    ]


@settings(deadline=None, max_examples=60)
@given(asked=an_entity(1), mode=st.sampled_from(list(Mode)), later=st.integers(1, 10**8))
def test_asked_again_it_is_another_decision_that_says_and_logs_the_same(
    asked: tuple[Standing, dict[str, Value]], mode: Mode, later: int
) -> None:
    entity = asked[0].entity
    states = states_of([asked[1]], entities=[entity], moments=[NOW])
    policy, challenger = InUse(make_policy("uniform")), InUse(make_policy("uniform"), version="8")
    asking = Asking(now=NOW, limits=Limits(), policy=policy, challenger=challenger, mode=mode)
    again = replace(asking, now=NOW + timedelta(microseconds=later))
    context = _context([asked], states)
    first, second = consider(context, [entity], asking), consider(context, [entity], again)
    fresh = consider(_context([asked], states), [entity], again)
    is_kept = second.decided[0].judged is first.decided[0].judged
    assert is_kept is (again.now - NOW < CONCLUDED_VALID), "concluded once a minute"
    assert second.answers == fresh.answers
    assert second.decided[0].id != first.decided[0].id
    (said,), (logged,) = second.rows, row_texts(fresh.moment, fresh.decided)
    assert json.loads(said) == json.loads(logged)
    assert json.loads(said)["state"] == fresh.decided[0].judged.state
    bare = [replace(one, text=None) for one in second.decided]
    assert row_texts(second.moment, bare) == second.rows


@pytest.mark.parametrize("what", ["policy", "challenger", "archetypes", "mode", "limits"])
def test_what_others_concluded_is_not_said(what: str) -> None:
    place = Standing(
        entity=Entity(ACCOUNT.id, EntityType.ADSET, EntityId("1")), name="x",
        value=Setting("USD", 70_00, "ACTIVE"), effective_status="ACTIVE",
        is_budget_set_above=False, busy=None,
    )  # fmt: skip
    states = states_of([{"spend": 1.0}], entities=[place.entity], moments=[NOW])
    context = _context([(place, {"spend": 1.0})], states)
    asking = Asking(now=NOW, limits=Limits(), mode=Mode.SHADOW)
    others: dict[str, Any] = {
        "policy": InUse(make_policy("uniform")),
        "challenger": InUse(make_policy("uniform")),
        "archetypes": {place.entity: "Steady"},
        "mode": Mode.LIVE,
        "limits": Limits(max_budget_change_percent=50),
    }
    by_some = consider(context, [place.entity], asking).decided[0].judged
    by_others = consider(context, [place.entity], replace(asking, **{what: others[what]}))
    assert by_others.decided[0].judged is not by_some


def _context(given_: list[tuple[Standing, dict[str, Value]]], together: States) -> AccountContext:
    return AccountContext(
        account=ACCOUNT,
        rules=tuple(default_rules(ACCOUNT)),
        cells={},
        places={standing.entity: standing for standing, _ in given_},
        states={one.entity: together.take([row]) for row, (one, _) in enumerate(given_)},
        versions=Versions("", "", ""),
        read_at=NOW,
        placed_at=NOW,
    )


def _plain(judged: Any) -> list[Any]:
    return [
        judged.standing, judged.state, judged.allowed.tolist(), judged.rules, judged.policy,
        judged.shown, judged.rule, judged.action, judged.reasons, judged.withheld,
        judged.archetype, judged.challenger,
    ]  # fmt: skip
