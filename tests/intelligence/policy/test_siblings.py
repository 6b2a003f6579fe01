"""What siblings would buy: nothing where there are none, less the more money they are handed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.features.states import Value
from intel_ml.intelligence.policy.siblings import Better, better
from intel_ml.intelligence.policy.windows import seen_in_states
from intel_ml.intelligence.policy.yields import Kind
from tests.intelligence.policy import worlds

POOLED: dict[str, Value] = {
    "spend": 60.0,
    "conversions": 1.0,
    "target_cpa": 20.0,
    "spend_today": 10.0,
    "budget_utilization": 0.1,
    "hour_of_day": 12.0,
}


def of(elasticity: float = 0.2, **more: Value) -> Better:
    seen = seen_in_states(worlds.states([POOLED | more]))
    return better(seen, kind=Kind(), spell=0.05, elasticity=elasticity)


def test_who_has_no_siblings_or_a_budget_of_its_own_hands_nothing_on() -> None:
    family: dict[str, Value] = {"siblings_spend_7d": 900.0, "siblings_conversions_7d": 90.0}
    assert of(**family).is_told[0]
    for one in (of(), of(**family, daily_budget=30.0), of(siblings_spend_7d=900.0)):
        assert not one.is_told[0]


@given(spend=st.floats(50.0, 1e5), ratio=st.floats(0.2, 4.0), elasticity=st.floats(0.0, 0.8))
@settings(deadline=None, max_examples=50)
def test_siblings_never_buy_more_with_it_than_with_their_own_and_more_is_surer(
    spend: float, ratio: float, elasticity: float
) -> None:
    told = {"siblings_spend_7d": spend, "siblings_conversions_7d": spend / 20.0 / ratio}
    one, straight = of(elasticity, **told), of(0.0, **told)
    assert 0 <= one.value[0] <= straight.value[0] * (1 + 1e-9)
    assert one.deviation[0] >= 0
    more = of(0.0, **{name: 10 * value for name, value in told.items()})
    assert more.deviation[0] / more.value[0] <= straight.deviation[0] / straight.value[0] + 1e-9


def test_with_much_evidence_and_no_saturation_it_is_what_they_showed() -> None:
    found = of(0.0, siblings_spend_7d=20_000.0, siblings_conversions_7d=2000.0)
    assert np.isclose(found.value[0], 2.0, rtol=0.1)  # 1000 targets bought 2000 results
