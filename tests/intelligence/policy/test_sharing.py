"""Accounts that share help each other; nothing of those that don't reaches anybody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.sharing import Account, Kind, _decisions, _gain, _gains, _joined
from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, MissingColumnsError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.protocol import MAINTAIN, Choices, Policy
from tests.intelligence.policy import worlds

RATIOS = (0.3, 1.0, 3.3)
EVERY = np.ones((len(RATIOS), len(ARMS)), dtype=bool)
KEYS = ["a", "b", "c"]
#: A few worlds; the benchmark tells of thirty.
SEEDS = range(8, 12)


def _of(account: str) -> States:
    rows: list[dict[str, Value]] = [
        {"cpa_ratio": one, "roas": 4 / one, "frequency": 2.0, "learning_phase": "ACTIVE"}
        for one in RATIOS
    ]
    entities = [
        Entity(AdAccountId(account), EntityType.ADSET, EntityId(str(at))) for at in range(len(rows))
    ]
    return states_of(rows, entities=entities, moments=[worlds.NOW] * len(rows))


def _asked(policy: Policy, account: str) -> Choices:
    return policy.choose(_of(account), allowed=EVERY, keys=KEYS)


def _log(account: str, rows: int, *, seed: int, shares: bool) -> pd.DataFrame:
    return worlds.log(rows, seed=seed).assign(ad_account_id=account, share_learning=shares)


def _world(private: pd.DataFrame | None = None) -> pd.DataFrame:
    parts = [_log(f"act_{k}", 60, seed=k, shares=True) for k in (1, 2, 3)]
    return pd.concat([*parts, *([] if private is None else [private])], ignore_index=True)


@settings(max_examples=8, deadline=None)
@given(
    rows=st.integers(1, 80),
    seed=st.integers(0, 1000),
    scale=st.floats(-1000, 1000),
    place=st.integers(0, 100),
)
def test_what_an_account_keeps_to_itself_changes_no_bit_of_anothers_choices(
    rows: int, seed: int, scale: float, place: int
) -> None:
    private = _log("act_7", rows, seed=seed, shares=False)
    private = private.assign(
        reward=private["reward"] * scale, state_cpa_ratio=private["state_cpa_ratio"] * abs(scale)
    )
    other = _log("act_8", 40, seed=place, shares=False)
    with_it = make_policy("sharing").fit(_world(pd.concat([private, other])))
    without = make_policy("sharing").fit(_world(other))
    for account in ("act_1", "act_2", "act_3", "act_8", "act_9"):
        mine, theirs = _asked(with_it, account), _asked(without, account)
        assert (mine.pmf == theirs.pmf).all()
        assert (mine.confidence == theirs.confidence).all()


def test_who_does_not_share_learns_from_itself_alone() -> None:
    private = _log("act_7", 120, seed=9, shares=False)
    policy = make_policy("sharing", alpha=0.2).fit(_world(private))
    alone = make_policy("ridge", alpha=0.2).fit(private)
    assert (_asked(policy, "act_7").pmf == _asked(alone, "act_7").pmf).all()


def test_one_that_shares_with_nobody_is_on_its_own() -> None:
    log = _log("act_1", 120, seed=9, shares=True)
    policy, alone = make_policy("sharing").fit(log), make_policy("ridge", alpha=0.1).fit(log)
    assert np.allclose(_asked(policy, "act_1").pmf, _asked(alone, "act_1").pmf, atol=1e-9)
    assert "of this account alone" in policy.explain(_of("act_1"), 0, Arm.PAUSE)[-1].text


def test_a_new_account_starts_from_what_the_others_know_only_if_it_shares() -> None:
    policy = make_policy("sharing", sharing=["act_new"]).fit(_world())
    found = [ARMS[arm] for arm in _asked(policy, "act_new").greedy]
    assert found[0] in {Arm.SCALE_10, Arm.SCALE_20}
    assert found[2] in {Arm.PAUSE, Arm.REDUCE_50}
    assert (_asked(policy, "act_stranger").greedy == MAINTAIN).all()
    told = policy.explain(_of("act_new"), 2, Arm.PAUSE)[-1].text
    assert told.startswith("80% of this is what 3 other accounts that share have seen")


def test_own_experience_takes_over() -> None:
    shares = []
    for rows in (5, 60, 600):
        log = _world(_log("act_4", rows, seed=11, shares=True))
        policy = make_policy("sharing").fit(log)
        shares.append(policy.explain(_of("act_4"), 0, Arm.SCALE_20)[-1].observed)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.5 > shares[-1]


def test_with_few_decisions_of_its_own_an_account_left_out_gains_and_with_many_loses_nothing() -> (
    None
):
    none, few, many = _difference(Kind.ALIKE, 0, 50, 1000)
    assert none > 0.4
    assert few > 0.05
    assert many > -0.01


@pytest.mark.parametrize("kind", [Kind.OPPOSITE, Kind.ELSEWHERE])
def test_an_unlike_account_that_was_watched_leaves_the_others_behind_before_it_decides(
    kind: Kind,
) -> None:
    assert (_difference(kind, 0, 50) > -0.05).all()


def test_who_is_unlike_in_what_nobody_tried_leaves_the_others_behind_with_its_first_decisions() -> (
    None
):
    assert (_difference(Kind.HIDDEN, 50) > -0.03).all()


def _difference(kind: Kind, *counts: int) -> np.ndarray:
    """Return what sharing gains over being alone, as a share of what the best would."""
    gains = np.array([_gains(seed, kind=kind, counts=counts) for seed in SEEDS])
    return (gains[:, :, 0] - gains[:, :, 1]).mean(axis=0) / gains[:, :, 2].mean(axis=0)


def test_states_without_an_outcome_tell_who_is_in_another_world() -> None:
    there = worlds.log(60, seed=8).assign(ad_account_id="act_there", share_learning=True)
    there = there.assign(
        state_cpa_ratio=there["state_cpa_ratio"] * 1e3,
        state_frequency=there["state_frequency"] * 1e3,
        state_ctr_trend_7d=there["state_ctr_trend_7d"] + 1e3,
        reward=np.nan,
    )
    here = _log("act_here", 60, seed=9, shares=True).assign(reward=np.nan)
    policy = make_policy("sharing").fit(pd.concat([_world(), here, there], ignore_index=True))
    assert policy.accounts["act_there"] == 0.0
    assert policy.accounts["act_here"] == pytest.approx(0.8)
    assert (_asked(policy, "act_there").greedy == MAINTAIN).all()
    assert (_asked(policy, "act_here").greedy != MAINTAIN).any()
    # Told afterwards, it is known as well.
    later = make_policy("sharing").fit(_world()).learn(pd.concat([here, there]))
    assert later.accounts["act_there"] == 0.0
    assert later.accounts["act_here"] == pytest.approx(0.8)


def test_an_account_unlike_them_hardly_moves_those_that_are_alike() -> None:
    source = np.random.default_rng(0)
    common = source.normal(size=(len(ARMS), 7))
    alike = [_decisions(source, Account(f"act_{k}", common), 200) for k in range(1, 7)]
    odd = _decisions(source, Account("act_odd", -common), 1000)
    few = _decisions(source, Account("act_8", common), 40)
    asked = source.normal(size=(300, 6))
    found = [
        _gain(make_policy("sharing", alpha=0.0).fit(_joined([*alike, few, *more])), asked, common)
        for more in ([], [odd])
    ]
    assert found[1] > found[0] - 0.05


@pytest.mark.parametrize("shuffle", range(3))
def test_the_order_of_rows_and_accounts_does_not_matter(shuffle: int) -> None:
    log = _world(_log("act_7", 50, seed=5, shares=False))
    one = make_policy("sharing").fit(log)
    other = make_policy("sharing").fit(log.sample(frac=1, random_state=shuffle))
    for account in ("act_1", "act_7"):
        assert np.allclose(_asked(one, account).pmf, _asked(other, account).pmf, atol=1e-6)


def test_learning_in_two_parts_ends_where_learning_at_once_does() -> None:
    log = _world()
    parts = make_policy("sharing").fit(log)
    more = _log("act_4", 50, seed=21, shares=True)
    parts.learn(more)
    assert set(parts.accounts) == {"act_1", "act_2", "act_3", "act_4"}
    assert all(0 <= share <= 1 for share in parts.accounts.values())
    assert not np.allclose(
        _asked(parts, "act_1").pmf, _asked(make_policy("sharing").fit(log), "act_1").pmf
    )


def test_who_changes_its_mind_is_fitted_anew() -> None:
    policy = make_policy("sharing").fit(_world(_log("act_7", 50, seed=5, shares=False)))
    for account, shares in (("act_7", True), ("act_1", False)):
        with pytest.raises(InvalidValueError, match=f"{account} changed whether it shares"):
            policy.learn(_log(account, 10, seed=1, shares=shares))
    policy.fit(_world(_log("act_7", 50, seed=5, shares=True)))
    assert "act_7" in policy.accounts


def test_accounts_asked_together_get_what_each_gets_alone(tmp_path: Path) -> None:
    policy = make_policy("sharing").fit(_world(_log("act_7", 50, seed=5, shares=False)))
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    names = ["act_7", "act_1", "act_9"]
    states = [_of(name) for name in names]
    mixed = states_of(
        [one.state(at) for at, one in enumerate(states)],
        entities=[one.entities[at] for at, one in enumerate(states)],
        moments=[worlds.NOW] * 3,
    )
    found = policy.choose(mixed, allowed=EVERY, keys=KEYS)
    same = again.choose(mixed, allowed=EVERY, keys=KEYS)
    assert (found.pmf == same.pmf).all()
    for at, name in enumerate(names):
        assert np.allclose(found.pmf[at], _asked(policy, name).pmf[at])
        assert found.arms[at] == _asked(policy, name).arms[at]


def test_a_log_without_accounts_is_refused() -> None:
    with pytest.raises(MissingColumnsError, match="ad_account_id"):
        make_policy("sharing").fit(worlds.log(50).drop(columns=["ad_account_id"]))
    with pytest.raises(InvalidValueError, match="alike"):
        make_policy("sharing", alike=1.0)
