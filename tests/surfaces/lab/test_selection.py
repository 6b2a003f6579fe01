"""Choosing in a notebook: a table, a picture, a sentence; what judges has no say in the choice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.selected import Basis
from intel_ml.surfaces.lab import pictures
from intel_ml.surfaces.lab.selection import Choice, choose
from tests.intelligence.policy import worlds
from tests.learning import logs


def _candidates() -> dict[str, Policy]:
    return {
        "chance": make_policy("uniform"),
        "mine": make_policy("ridge", features=["cpa_ratio"]),
        "<b>broken</b>": logs.Broken(),
        "ad sets only": make_policy("response"),
    }


@pytest.fixture(scope="module")
def choice() -> Choice:
    return choose(_candidates(), logs.over_time(900), newest=0.3)


def test_what_judges_has_no_say_in_what_is_made_or_chosen(choice: Choice) -> None:
    log = logs.over_time(900)
    late = (log["as_of"] > choice.cut).to_numpy()
    assert late.sum() == len(choice.unseen)
    draw = np.random.default_rng(1)
    other = log.assign(reward=np.where(late, 1000 * draw.standard_normal(900), log["reward"]))
    again = choose(_candidates(), other, newest=0.3)
    assert again.selection.evidence == choice.selection.evidence
    new = worlds.states([{"cpa_ratio": 0.4}, {"cpa_ratio": 3.3}])
    asked = {"allowed": np.ones((2, 6), dtype=bool), "keys": ["a", "b"]}
    assert (again.policy.choose(new, **asked).pmf == choice.policy.choose(new, **asked).pmf).all()
    assert choice.learned_from["as_of"].max() <= choice.cut < choice.unseen["as_of"].min()


def test_the_table_says_of_each_what_was_found(choice: Choice) -> None:
    table = choice.table().set_index("candidate")
    assert list(table.index) == list(_candidates())
    assert (choice.name, choice.selection.basis) == ("mine", Basis.BEST)
    assert table.loc["mine", "what that means"] == "taken"
    assert table.loc["chance", "what that means"].startswith("earned ")
    assert table.loc["<b>broken</b>", "what that means"] == (
        "could not learn: it divides by nothing"
    )
    assert pd.isna(table.loc["<b>broken</b>", "earns a decision"])
    assert table.loc["ad sets only", "may be asked about"] == "ad sets"
    known = table.dropna(subset=["at least"])
    assert (known["at least"] <= known["earns a decision"]).all()


def test_the_picture_has_a_row_for_each_and_its_axis_in_words(choice: Choice) -> None:
    [axes] = choice.figure().axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["chance", "mine (taken)", "<b>broken</b>", "ad sets only"]
    assert "share of the money in play" in axes.get_xlabel()
    shown = pictures.picture(choice.figure(), "candidates")
    assert shown.png.startswith(b"\x89PNG")
    low, high = axes.get_xlim()
    assert choice.selection.done is not None
    assert low < choice.selection.done.low < choice.selection.done.high < high


def test_it_renders_as_a_page_in_which_no_name_is_markup(choice: Choice) -> None:
    page = choice._repr_html_()
    assert page.count("<img") == page.count("<table") == 1
    assert "<b>broken</b>" not in page
    assert "had no say in this" in page
    assert repr(choice).startswith("mine is taken: it earned most")


@pytest.mark.parametrize("rows", [10, 14, 40])
def test_with_little_it_still_shows_what_was_kept_and_why(rows: int) -> None:
    few = choose(_candidates(), logs.over_time(rows), newest=0.3)
    assert few.name == "chance"
    assert "20 are needed" in few.why
    assert "not compared" in few._repr_html_()
    assert pictures.picture(few.figure(), "x").png


@pytest.mark.parametrize("rows", [0, 9])
def test_too_few_outcomes_are_counted(rows: int) -> None:
    with pytest.raises(NotEnoughDataError, match=f"measured outcomes: need 10, saw {rows}"):
        choose(_candidates(), logs.over_time(30).head(rows), newest=0.3)


def test_what_is_no_candidate_is_named() -> None:
    log = logs.over_time(30)
    with pytest.raises(InvalidValueError, match=r"candidates\.mine: 'ridge' chooses nothing"):
        choose({"mine": "ridge"}, log, newest=0.3)  # type: ignore[dict-item]  # what is refused
    with pytest.raises(InvalidValueError, match="21 are more than 20"):
        choose({str(at): make_policy("uniform") for at in range(21)}, log, newest=0.3)
    with pytest.raises(InvalidValueError, match="not a name"):
        choose({"": make_policy("uniform")}, log, newest=0.3)
    with pytest.raises(InvalidValueError, match="newest"):
        choose(_candidates(), log, newest=1.0)
