"""What chance tries: cheap, where it is unsure, a few times a day, with the chance it had."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from intel_ml.core.actions import ARMS, ActionType, Arm, action_of, arm_of
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import IMITATION, ModelRef, Recommendation, Source
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.operations.decisions import decide
from intel_ml.operations.exploring import Left, drawn, is_try, left_today
from intel_ml.operations.judging import Judged
from intel_ml.operations.limits import Limits
from intel_ml.operations.stakes import most_moved, reason_to_try
from intel_ml.operations.standing import Standing
from intel_ml.operations.values import Value
from intel_ml.reporting.queue import pending_cards
from tests.operations.conftest import CUT, Desk
from tests.operations.test_decisions import wasting

__all__ = ["wasting"]

MANY = Left(tries=10_000, minor=10**9)
BUDGET = 50_00
KINDS = {"adset": EntityType.ADSET, "campaign": EntityType.CAMPAIGN}


def judged(  # noqa: PLR0913  # one a fact that decides what may be tried
    number: int = 1,
    *,
    budget: int | None = BUDGET,
    spend: float | None = 280.0,
    kind: str = "adset",
    view: Recommendation | None = None,
    action: Arm | None = None,
) -> Judged:
    """An ad set that rules would leave alone, or change to `action`."""
    entity = Entity(AdAccountId("act_1"), KINDS[kind], EntityId(str(number)))
    change = None if action is None else action_of(action)
    rules = None if change is None else Recommendation(entity, change, Source.RULES, reasons=())
    return Judged(
        standing=Standing(
            entity,
            f"Ad set {number}",
            Value("USD", budget, "ACTIVE"),
            "ACTIVE",
            is_budget_set_above=False,
            busy=None,
        ),
        state={} if spend is None else {"spend_7d": spend},
        allowed=np.ones(6, dtype=bool),
        rules=rules,
        policy=view,
        shown=rules,
        rule=None,
        action=change,
        reasons=(),
        withheld=None,
        rules_arm=action,
    )


def view(
    arm: Arm, *, sure: float = 0.9, name: str = "campaign-policy", **pmf: float
) -> Recommendation:
    entity = Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId("1"))
    return Recommendation(
        entity,
        action_of(arm),
        Source.POLICY,
        reasons=(),
        model=ModelRef(name, "7"),
        confidence=sure,
        pmf={one: pmf.get(one.value, 0.0) for one in ARMS},
    )


def followed(number: int, drawn_arm: Arm, best: Arm, **pmf: float) -> Judged:
    """An ad set of a live account whose policy drew `drawn_arm` and thinks `best` best."""
    told = view(best, **pmf)
    base = replace(judged(number), policy=told, follows_policy=True, shares=told.pmf)

    def shown(arm: Arm) -> Judged:
        said = replace(told, action=action_of(arm))
        change = None if arm is Arm.MAINTAIN else said.action
        return replace(base, shown=said, action=change)

    surely = replace(shown(best), drawn=best)
    if drawn_arm is best:
        return surely
    return replace(shown(drawn_arm), drawn=drawn_arm, surely=surely)


def keys_of(count: int, salt: str = "") -> list[str]:
    return [f"{salt}{number}" for number in range(count)]


@settings(deadline=None, max_examples=60)
@given(
    tries=st.integers(0, 4),
    money=st.integers(0, 3 * BUDGET),
    share=st.floats(0, 0.49),
    holdout=st.floats(0, 0.49),
    salt=st.text(max_size=6),
)
def test_no_more_is_tried_than_is_left_in_number_and_in_money(
    tries: int, money: int, share: float, holdout: float, salt: str
) -> None:
    limits = Limits(exploration_share=share, holdout_share=holdout)
    ones = [judged(number) for number in range(60)]
    told = drawn(ones, keys=keys_of(60, salt), left=Left(tries, money), limits=limits)
    tried = [(one, draw) for one, draw in told if is_try(one, draw)]
    assert len(tried) <= tries
    moved = [most_moved(one.standing.value, action_of(draw.arm), one.state) for one, draw in tried]
    assert sum(one.minor for one in moved if one is not None) <= money
    for one, draw in told:
        assert sum(draw.pmf.values()) == pytest.approx(1)
        assert draw.propensity > 0
        assert one.standing.entity == ones[told.index((one, draw))].standing.entity


def test_the_logged_probabilities_are_those_drawn_with_though_each_limit_binds() -> None:
    # Given what was drawn before, what is chosen less its probability is a fair game: its sum
    # stays within a few standard deviations, for every arm.
    limits = Limits(exploration_share=0.4, holdout_share=0.2)
    surplus, variance = np.zeros(6), np.zeros(6)
    runs_out = 0
    for day in range(300):
        ones = [
            judged(number, budget=1000 * (1 + number), action=Arm.PAUSE if number % 3 else None)
            for number in range(12)
        ]
        told = drawn(ones, keys=keys_of(12, f"{day}-"), left=Left(2, 60_00), limits=limits)
        runs_out += sum(is_try(one, draw) for one, draw in told) == 2
        for _, draw in told:
            chances = np.array([draw.pmf[arm] for arm in ARMS])
            surplus += np.array([arm is draw.arm for arm in ARMS]) - chances
            variance += chances * (1 - chances)
    assert runs_out > 100
    assert (np.abs(surplus) <= 4 * np.sqrt(variance) + 1e-9).all()


def test_a_live_policys_own_draws_are_tries_too_and_their_probabilities_stay_true() -> None:
    pmf = {"scale_20": 0.7, "maintain": 0.2, "reduce_20": 0.1}
    shares = np.array([pmf.get(arm.value, 0.0) for arm in ARMS])
    random = np.random.default_rng(5)
    surplus, variance, tried = np.zeros(6), np.zeros(6), 0
    for day in range(300):
        arms = random.choice(len(ARMS), size=8, p=shares)
        ones = [followed(n, ARMS[arm], Arm.SCALE_20, **pmf) for n, arm in enumerate(arms)]
        told = drawn(
            ones, keys=keys_of(8, f"{day}-"), left=Left(1, 10**9), limits=Limits(holdout_share=0.0)
        )
        spent = [is_try(one, draw) for one, draw in told]
        assert sum(spent) <= 1
        tried += sum(spent)
        for one, draw in told:
            chances = np.array([draw.pmf[arm] for arm in ARMS])
            surplus += np.array([arm is draw.arm for arm in ARMS]) - chances
            variance += chances * (1 - chances)
            if not one.follows_policy:
                assert draw.propensity == 1.0
                assert draw.arm is Arm.SCALE_20
    assert tried > 100
    assert (np.abs(surplus) <= 4 * np.sqrt(variance) + 1e-9).all()


def test_a_live_policys_draws_stay_within_the_days_money_and_their_probabilities_true() -> None:
    pmf = {"scale_10": 0.5, "maintain": 0.2, "reduce_20": 0.1, "pause": 0.2}
    shares = np.array([pmf.get(arm.value, 0.0) for arm in ARMS])
    random = np.random.default_rng(6)
    surplus, variance, tried = np.zeros(6), np.zeros(6), 0
    for day in range(300):
        arms = random.choice(len(ARMS), size=6, p=shares)
        ones = [followed(n, ARMS[arm], Arm.SCALE_10, **pmf) for n, arm in enumerate(arms)]
        limits = Limits(holdout_share=0.1, exploration_share=0.1)
        left = Left(5, 15_00)
        told = drawn(ones, keys=keys_of(6, f"{day}-"), left=left, limits=limits)
        moved = [
            most_moved(one.standing.value, action_of(draw.arm), one.state)
            for one, draw in told
            if is_try(one, draw)
        ]
        assert sum(one.minor for one in moved if one is not None) <= left.minor
        tried += len(moved)
        for _, draw in told:
            chances = np.array([draw.pmf[arm] for arm in ARMS])
            surplus += np.array([arm is draw.arm for arm in ARMS]) - chances
            variance += chances * (1 - chances)
            assert draw.pmf[Arm.PAUSE] == 0
    assert tried > 100
    assert (np.abs(surplus) <= 4 * np.sqrt(variance) + 1e-9).all()


def test_what_a_rule_asks_for_too_is_no_try() -> None:
    one = replace(followed(1, Arm.PAUSE, Arm.MAINTAIN, pause=0.1, maintain=0.9))
    assert one.is_tried
    assert not replace(one, rules_arm=Arm.PAUSE).is_tried
    assert not one.settled.is_tried


def test_the_surer_the_policy_that_agrees_the_less_is_tried() -> None:
    limits = Limits(exploration_share=0.4, holdout_share=0.0)

    def share(view_: Recommendation | None) -> float:
        one = judged(view=view_)
        ((_, draw),) = drawn([one], keys=["k"], left=MANY, limits=limits)
        return sum(p for arm, p in draw.pmf.items() if arm is not Arm.MAINTAIN)

    nobody = share(None)
    assert nobody == pytest.approx(0.4 * 5 / 6)
    assert share(view(Arm.MAINTAIN, sure=0.9)) == pytest.approx(0.1 * nobody)
    # Only a try can tell who is right, and who imitates people knows nothing of effects.
    assert share(view(Arm.SCALE_20, sure=0.9)) == pytest.approx(nobody)
    assert share(view(Arm.MAINTAIN, sure=0.9, name=IMITATION)) == pytest.approx(nobody)


def test_what_could_cost_more_than_is_left_or_nobody_knows_what_is_not_tried() -> None:
    limits = Limits(exploration_share=0.4, holdout_share=0.0)

    def open_(one: Judged, minor: int) -> set[Arm]:
        ((_, draw),) = drawn([one], keys=["k"], left=Left(3, minor), limits=limits)
        return {arm for arm, p in draw.pmf.items() if p > 0}

    assert open_(judged(), BUDGET // 10) == {Arm.MAINTAIN, Arm.SCALE_10}
    assert open_(judged(), BUDGET // 5) == {
        Arm.MAINTAIN,
        Arm.SCALE_10,
        Arm.SCALE_20,
        Arm.REDUCE_20,
    }
    assert Arm.PAUSE in open_(judged(), BUDGET)
    assert open_(judged(budget=None, spend=None), 10**9) == {Arm.MAINTAIN}
    assert open_(judged(kind="campaign"), 10**9) == {Arm.MAINTAIN}


def test_the_sentence_says_what_a_try_costs_at_worst() -> None:
    raise_, pause = action_of(Arm.SCALE_20), action_of(Arm.PAUSE)
    assert (
        "at worst 10.00 USD a day is spent for nothing"
        in reason_to_try(raise_, Money(1000, "USD")).text
    )
    assert (
        "at worst what 50.00 USD a day buys is missed"
        in reason_to_try(pause, Money(5000, "USD")).text
    )
    assert most_moved(Value("USD", None, "ACTIVE"), pause, {"spend_7d": 70.0}) == Money(1000, "USD")
    assert most_moved(Value("USD", None, "ACTIVE"), pause, {}) is None


def test_the_days_tries_are_the_accounts_and_begin_anew_with_its_day(desk: Desk) -> None:
    desk.propose("11", CUT, source="exploration", stake_minor=150)
    desk.propose("12", CUT, source="rules", stake_minor=900)
    desk.propose(
        "13",
        CUT,
        source="exploration",
        stake_minor=70,
        created_at=desk.now() - timedelta(days=1, hours=1),
    )
    limits = Limits(explorations_per_day=3, exploration_spend_share=0.5)
    now = desk.now() + timedelta(seconds=1)
    ones = [judged(spend=70.0), judged(2, spend=None), judged(3, spend=70.0, kind="campaign")]
    with desk.store.session() as session:
        left = left_today(session, desk.account, ones, now=now, limits=limits)
        tomorrow = now + timedelta(days=1)
        fresh = left_today(session, desk.account, ones, now=tomorrow, limits=limits)
    assert left == Left(tries=2, minor=500 - 150)
    assert fresh == Left(tries=3, minor=500)


def test_a_day_of_cycles_proposes_no_more_tries_than_the_limit(wasting: Desk) -> None:
    limits = Limits(holdout_share=0.0, exploration_share=0.49, explorations_per_day=2)
    start = wasting.now()
    for minute in range(8):
        decide(wasting.store, wasting.account, now=start + timedelta(minutes=minute), limits=limits)
    with wasting.store.session() as session:
        tries = session.scalars(
            select(AutomationAction).where(AutomationAction.source == Source.EXPLORATION)
        ).all()
        cards = pending_cards(session, person=wasting.ana, now=start + timedelta(minutes=9))
        rows = session.scalars(select(Decision)).all()
        only = pending_cards(
            session, person=wasting.ana, now=start + timedelta(minutes=9), search="tries"
        )
    assert len(tries) == 2
    assert [card.is_try for card in cards] == sorted(card.is_try for card in cards)
    assert {card.action_id for card in only} == {row.id for row in tries}
    for row in tries:
        kind = ActionType(row.action_type)
        assert kind in {ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET}
        assert row.reason.startswith("A small test by chance")
        assert row.stake_minor in {500, 1000}
        assert f"{row.stake_minor / 100:.2f} USD a day" in row.reason
    for row in rows:
        assert row.propensity == pytest.approx(row.proposal_pmf[row.proposed], abs=1e-5)
        assert sum(row.proposal_pmf.values()) == pytest.approx(1, abs=1e-5)


def test_the_arm_of_a_try_is_what_is_proposed(wasting: Desk) -> None:
    limits = Limits(holdout_share=0.0, exploration_share=0.49)
    decide(wasting.store, wasting.account, now=wasting.now(), limits=limits)
    with wasting.store.session() as session:
        pairs = session.execute(
            select(AutomationAction, Decision).join(
                Decision, Decision.decision_id == AutomationAction.decision_id
            )
        ).all()
    for action, decision in pairs:
        percent = action.action_params.get("percentage")
        sign = -1 if action.action_type == ActionType.DECREASE_BUDGET else 1
        told = action_of(Arm(decision.proposed))
        assert told.type == action.action_type
        if decision.is_explored:
            assert arm_of(told) is Arm(decision.proposed)
            assert told.percent == (None if percent is None else sign * percent)
