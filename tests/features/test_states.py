"""States keep the unknown unknown."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import states_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.floats(), st.integers(-5, 5).map(float))
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["cpa", "roas", "ctr"]), VALUES), min_size=1, max_size=5
)


def entities(count: int) -> list[Entity]:
    return [Entity(AdAccountId("act_1"), EntityType.AD, EntityId(str(n))) for n in range(count)]


@given(ROWS)
def test_what_goes_in_comes_out_and_the_unknown_is_none(
    rows: list[dict[str, float | None]],
) -> None:
    states = states_of(rows, entities=entities(len(rows)), moments=[NOW] * len(rows))
    for row, given_row in enumerate(rows):
        state = states.state(row)
        json.dumps(state, allow_nan=False)
        for name, value in state.items():
            known = given_row.get(name)
            is_known = known is not None and math.isfinite(known)
            assert value == (known if is_known else None)


@given(ROWS)
def test_taken_rows_are_the_same_rows(rows: list[dict[str, float | None]]) -> None:
    states = states_of(rows, entities=entities(len(rows)), moments=[NOW] * len(rows))
    order = list(reversed(range(len(rows))))
    taken = states.take(order)
    assert [taken.state(n) for n in range(len(rows))] == [states.state(n) for n in order]
    assert taken.entities == tuple(reversed(states.entities))
    assert [states.all_states()[n] for n in order] == taken.all_states()


@given(ROWS)
def test_read_states_are_the_same_and_nobody_can_change_them(
    rows: list[dict[str, float | None]],
) -> None:
    states = states_of(rows, entities=entities(len(rows)), moments=[NOW] * len(rows))
    plain = replace(states, rows=None)
    for row in range(len(rows)):
        assert plain.read().state(row) == plain.state(row) == states.state(row)
        states.state(row)["cpa"] = -1.0
        assert plain.state(row) == states.state(row)


def test_words_become_the_numbers_of_the_catalogue() -> None:
    rows = [{"learning_phase": "LEARNING"}, {"learning_phase": "ACTIVE"}, {"learning_phase": None}]
    states = states_of(rows, entities=entities(3), moments=[NOW] * 3)
    numbers = states.numbers(["learning_phase", "cpa"])
    np.testing.assert_array_equal(numbers, [[0, np.nan], [1, np.nan], [np.nan, np.nan]])


def test_no_entities_make_an_empty_table() -> None:
    assert states_of([], entities=[], moments=[]).numbers(["cpa", "ctr"]).shape == (0, 2)
