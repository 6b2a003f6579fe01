from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy.sureness import (
    allowed_by,
    calibrated,
    how_sure,
    mixture,
    plain,
    softmax,
)


def _views(rows: int, seed: int, *, boldness: float = 1.0) -> tuple[list[np.ndarray], np.ndarray]:
    """One view that knows how likely each class is, as bold as told, and one that guesses."""
    random = np.random.default_rng(seed)
    true = softmax(random.normal(0, 1.5, (rows, 3)))
    labels = (random.random((rows, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    guess = softmax(random.normal(0, 1.5, (rows, 3)))
    return [softmax(boldness * np.log(true)), guess], labels.astype(np.intp)


def test_the_view_that_knows_counts_and_the_one_that_guesses_does_not():
    views, labels = _views(600, 1)
    shares = mixture(views, labels, np.ones(600))
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] > 0.9


@pytest.mark.parametrize(("boldness", "hotter"), [(2.0, True), (0.6, False)])
def test_who_is_too_bold_is_cooled_down_and_who_is_too_timid_is_not(boldness: float, hotter: bool):  # noqa: FBT001  # a case
    views, labels = _views(2000, 2, boldness=boldness)
    temperature, line = calibrated(views[:1], np.ones(1), labels, np.ones(2000))
    assert (temperature > 1.3) is hotter
    new, truth = _views(4000, 3, boldness=boldness)
    pmf = softmax(np.log(new[0]) / temperature)
    answers = pmf.argmax(axis=1)
    sure = how_sure(line, pmf, new[:1], answers)
    assert abs(sure.mean() - (answers == truth).mean()) < 0.03


def test_the_plain_line_believes_the_mixture():
    views, _ = _views(50, 4)
    answers = views[0].argmax(axis=1)
    sure = how_sure(plain(1), views[0], views[:1], answers)
    assert sure == pytest.approx(views[0].max(axis=1).clip(0.001, 0.999), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
)
def test_nobody_is_surer_than_what_they_saw_allows(scores: list[float], one: float, other: float):
    likely = softmax(np.array([scores]))
    fewer, more = (allowed_by(likely, count)[0] for count in sorted((one, other)))
    for count, found in zip(sorted((one, other)), (fewer, more), strict=True):
        assert found.sum() == pytest.approx(1.0)
        assert found.max() <= (count + 0.5) / (count + 0.5 * len(scores)) + 1e-12
    assert more.max() >= fewer.max() - 1e-12
    assert (np.argsort(more, kind="stable") == np.argsort(fewer, kind="stable")).all() or len(
        set(np.round(fewer, 9))
    ) < len(scores)


def test_who_saw_nothing_does_not_know():
    assert allowed_by(np.array([[1.0, 0.0, 0.0]]), 0.0)[0] == pytest.approx([1 / 3] * 3)
    each = allowed_by(np.array([[1.0, 0.0]] * 2), np.array([0.0, 9.0]))
    assert each[:, 0] == pytest.approx([0.5, 0.95])
