"""What a notebook shows where there is little to show, and words that are not markup."""

from __future__ import annotations

import pandas as pd
import pytest

from intel_ml.surfaces.lab import pictures


def test_sentences_are_shown_as_they_are_and_never_as_markup() -> None:
    one, two = pictures.said("a <b>"), pictures.said("a <b>", "c & d")
    assert one._repr_html_() == "<p>a &lt;b&gt;</p>"
    assert two._repr_html_().count("<li>") == 2
    assert "c &amp; d" in two._repr_html_()
    assert str(two) == repr(two) == "a <b>\nc & d"


def test_an_empty_table_and_an_empty_picture_say_so() -> None:
    empty = pd.DataFrame(columns=["value", "low", "high"], dtype=float)
    assert "Too little" in pictures.table(empty)._repr_html_()
    assert "Too little" in str(pictures.table(empty))
    [axes] = pictures.intervals(empty, title="t", axis="x").axes
    assert ["Too little" in text.get_text() for text in axes.texts] == [True]


def test_every_row_of_an_interval_picture_is_inside_it() -> None:
    rows = pd.DataFrame({"value": [1.0, 2.0], "low": [0.0, 1.0], "high": [2.0, 3.0]})
    [axes] = pictures.intervals(rows, title="t", axis="x").axes
    low, high = axes.get_ylim()
    assert low < min(axes.get_yticks())
    assert high > max(axes.get_yticks())
    assert not axes.texts


def test_odds_moved_twofold_make_an_even_chance_anything_from_a_third_to_two() -> None:
    [axes] = pictures.odds([1.0, 2.0]).axes
    [bars] = axes.containers[0].lines[2]
    ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx([50, 50]), pytest.approx([100 / 3, 200 / 3])]
