from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS
from intel_ml.learning.propensity import executed_probability, transition, transitions

arms = st.sampled_from([arm.value for arm in ARMS])
groups = st.sampled_from(["winners", "losers", None])
fates = st.lists(st.tuples(groups, arms, arms), max_size=60)


@settings(deadline=None)
@given(fates)
def test_each_proposal_ends_as_something_in_every_group(
    seen: list[tuple[str | None, str, str]],
) -> None:
    found = transitions(seen)
    for matrix in (found.overall, *found.by_group.values()):
        assert np.allclose(matrix.sum(axis=1), 1.0)
        assert (matrix >= 0).all()
        assert matrix[1, 1] == 1.0


@settings(deadline=None)
@given(fates)
def test_without_groups_it_is_the_accounts_average_in_any_order(
    seen: list[tuple[str | None, str, str]],
) -> None:
    pairs = [(proposed, executed) for _, proposed, executed in seen]
    found = transitions([(None, *pair) for pair in reversed(pairs)])
    assert np.allclose(found.of("anyone"), transition(pairs))
    assert not found.by_group


def test_a_group_is_believed_the_more_the_oftener_it_was_seen() -> None:
    def approved(times: int) -> float:
        mine = [("losers", "pause", "pause")] * times
        others = [("winners", "pause", "maintain")] * 50
        return float(transitions([*mine, *others]).of("losers")[0, 0])

    assert 0.05 < approved(1) < approved(10) < approved(200)
    assert approved(200) > 0.95


def test_what_people_approve_by_archetype_is_counted_by_archetype() -> None:
    random = np.random.default_rng(0)
    seen = []
    for _ in range(2000):
        group, chance = ("losers", 0.9) if random.random() < 0.5 else ("winners", 0.2)
        seen.append((group, "pause", "pause" if random.random() < chance else "maintain"))
    found, pmf = transitions(seen), {"pause": 0.5, "maintain": 0.5}
    for group, chance in (("losers", 0.9), ("winners", 0.2)):
        told = executed_probability(pmf, "pause", transition=found.of(group))
        assert told == pytest.approx(0.5 * chance, abs=0.02)
        rest = executed_probability(pmf, "maintain", transition=found.of(group))
        assert told + rest == pytest.approx(1.0)
