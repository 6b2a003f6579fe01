"""What an evaluation says: paired, with intervals, in money a person understands."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy, uniform
from intel_ml.intelligence.policy.protocol import Choices
from intel_ml.learning.simulation import Conditions, Evaluation, evaluate
from intel_ml.learning.simulation.evaluation import policy_of
from intel_ml.learning.simulation.pictures import cells, headline
from intel_ml.learning.simulation.results import Outcomes

NAMES = ("do-nothing", "rules", "random", "mine", "oracle")


def made(profits: dict[str, list[float]]) -> Evaluation:
    """Return an evaluation whose profit by seed is told, all of it on the last of two days."""
    count = len(profits["oracle"])
    return Evaluation(
        policy="mine",
        world="any",
        start=datetime(2026, 1, 1, tzinfo=UTC),
        days=2,
        seeds=tuple(range(count)),
        currency="USD",
        approver=None,
        outcomes={
            name: Outcomes(
                np.column_stack([np.zeros(count), profits[name]]), np.full((count, 2), 50.0), {}
            )
            for name in NAMES
        },
    )


@settings(deadline=None)
@given(
    nothing=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    gain=st.floats(10, 1e5),
    share=st.floats(-1, 1.5),
)
def test_the_share_is_found_whatever_the_luck_of_the_seeds(
    nothing: list[float], gain: float, share: float
) -> None:
    rules = [one + 7 for one in nothing]
    found = made(
        {
            "do-nothing": nothing,
            "rules": rules,
            "random": nothing,
            "mine": [one + share * gain for one in rules],
            "oracle": [one + gain for one in rules],
        }
    )
    assert found.share is not None
    assert found.share.value == pytest.approx(share, abs=1e-4)
    assert found.share.low <= found.share.value <= found.share.high
    line = found.line("mine")
    assert line.against_rules.value == pytest.approx(share * gain, rel=1e-4, abs=1e-3)
    assert line.regret.value == pytest.approx((1 - share) * gain, rel=1e-4, abs=1e-3)
    assert line.value.value == pytest.approx(7 + share * gain, rel=1e-4, abs=1e-3)
    assert line.percent == pytest.approx(line.value.value)  # do-nothing spends 100 in all


def test_there_is_no_share_of_a_gain_that_is_not_there() -> None:
    noise = [1.0, -2.0, 1.5]
    found = made(
        {
            "do-nothing": [0.0] * 3,
            "rules": [0.0] * 3,
            "random": [0.0] * 3,
            "mine": [1.0] * 3,
            "oracle": noise,
        }
    )
    assert found.share is None
    assert "nothing certain" in headline(found)
    assert math.isnan(found.table().loc["mine", "share"])
    assert found.as_json()["deciders"][3]["share"] is None


def test_an_evaluation_plays_everyone_on_the_same_seeds(three_days: Evaluation) -> None:
    table = three_days.table()
    assert list(table.index) == ["do-nothing", "rules", "random", "uniform", "oracle"]
    assert table.loc["do-nothing", "value"] == 0
    assert table.loc["oracle", "value"] > table.loc["random", "value"]
    assert (table["value_low"] <= table["value"]).all()
    assert three_days.curve("do-nothing").shape == (2, 3)
    assert np.allclose(three_days.curve("oracle")[:, -1].mean(), table.loc["oracle", "value"])


def test_only_the_yardsticks_asked_for_play_and_play_as_among_all(
    small_file: Path, three_days: Evaluation
) -> None:
    few = evaluate("uniform", small_file, days=3, seeds=2, workers=1, beside=("rules",))
    assert list(few.outcomes) == ["rules", "uniform"]
    for name, outcome in few.outcomes.items():
        assert (outcome.profit == three_days.outcomes[name].profit).all()
    with pytest.raises(UnknownNameError, match="rules"):
        evaluate("uniform", small_file, days=3, beside=("rulez",))


def test_processes_side_by_side_give_the_same_numbers(small_file: Path) -> None:
    steps: list[tuple[int, int]] = []
    alone, together = (
        evaluate(
            make_policy("uniform"),
            small_file,
            days=1,
            seeds=[4],
            workers=workers,
            conditions=Conditions(oracle_hours=24),
            on_step=lambda done, total: steps.append((done, total)),
        )
        for workers in (1, 2)
    )
    assert together.as_json() == alone.as_json()
    assert steps == [*((n, 5) for n in range(1, 6)), *((n, 5) for n in range(1, 6))]


def test_what_one_world_teaches_does_not_reach_the_next_or_the_policy_that_was_given(
    small_file: Path,
) -> None:
    class Counting(uniform.Policy):
        asked = 0

        def choose(self, states: States, **more: Any) -> Choices:
            self.asked += 1
            return super().choose(states, **more)

    given = Counting()
    evaluate(
        given, small_file, days=1, seeds=[4], workers=1, conditions=Conditions(oracle_hours=24)
    )
    assert given.asked == 0


def test_it_is_shown_as_table_picture_and_page(three_days: Evaluation) -> None:
    page = three_days.html()
    assert page.startswith("<!doctype html>")
    assert "data:image/png;base64," in page
    assert "two shops" in page
    assert "http" not in page
    assert "<table>" in three_days._repr_html_()
    (axes,) = three_days.figure().axes
    assert {line.get_label() for line in axes.lines} >= {"rules", "random", "uniform", "oracle"}
    rules = cells(three_days, three_days.line("rules"))
    assert rules[0] == "rules"
    assert "USD" in rules[1]
    assert json.loads(json.dumps(three_days.as_json(), allow_nan=False))["days"] == 3


def test_names_that_do_not_exist_are_refused_with_the_nearest(small_file: Path) -> None:
    with pytest.raises(UnknownNameError, match="ridge"):
        evaluate("rigde", small_file, days=1)
    with pytest.raises(UnknownNameError, match="demo"):
        evaluate("rules", "demmo", days=1)
    with pytest.raises(UnknownNameError, match="careful"):
        evaluate("rules", small_file, days=1, conditions=Conditions(approver="carful"))
    with pytest.raises(InvalidValueError, match="days"):
        evaluate("rules", small_file, days=0)
    with pytest.raises(InvalidValueError, match="seeds"):
        evaluate("rules", small_file, seeds=0)


def test_a_policy_is_a_name_a_folder_or_an_object(tmp_path: Path) -> None:
    policy = make_policy("uniform")
    policy.save(tmp_path / "mine")
    name, loaded = policy_of(tmp_path / "mine")
    assert (name, loaded.name if loaded else None) == ("mine", "uniform")
    assert policy_of(policy) == ("uniform", policy)
    assert policy_of("oracle") == ("oracle", None)
