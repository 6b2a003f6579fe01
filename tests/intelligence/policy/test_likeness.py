from __future__ import annotations

import numpy as np
import pytest

from intel_ml.intelligence.policy.likeness import Choices, Likeness, learned, loaded
from intel_ml.intelligence.policy.sureness import softmax


def _choices(rows: int, seed: int, *, ring: bool = True) -> Choices:
    """Inside a ring one class, outside another; or a slope, which a straight line tells best."""
    random = np.random.default_rng(seed)
    x = np.column_stack([np.ones(rows), random.normal(0, 1, (rows, 2))])
    inside = ((x[:, 1:] ** 2).sum(axis=1) < 1.4) ^ (random.random(rows) < 0.05)
    beyond = random.random(rows) < 1 / (1 + np.exp(-3 * x[:, 1]))
    labels = (inside if ring else beyond).astype(np.intp)
    return Choices(x, labels, np.ones(rows), 2)


def _right(found: Likeness, new: Choices) -> np.ndarray:
    return np.asarray(found.scores(new.x).argmax(axis=1) == new.labels)


def test_what_a_line_cannot_tell_the_other_views_can():
    seen, new = _choices(500, 1), _choices(1000, 2)
    found = learned(seen)
    plain = (new.x @ found.linear.T).argmax(axis=1) == new.labels
    assert _right(found, new).mean() > 0.87 > plain.mean() + 0.15
    assert found.shares[0] < 0.2
    assert abs(found.shares.sum() - 1) < 1e-9


def test_what_a_line_tells_is_left_to_it():
    found = learned(_choices(400, 1, ring=False))
    assert found.trees is None or found.shares[-1] < 0.5
    assert _right(found, _choices(1000, 2, ring=False)).mean() > 0.8


def test_sixty_choices_are_enough_to_see_a_ring():
    new = _choices(1000, 2)
    found = [learned(_choices(60, seed)) for seed in range(6)]
    lines = [(new.x @ one.linear.T).argmax(axis=1) == new.labels for one in found]
    assert np.mean([_right(one, new) for one in found]) > np.mean(lines) + 0.08


@pytest.mark.parametrize("rows", [30, 100, 400])
def test_who_always_says_the_same_is_expected_to_but_not_without_doubt(rows: int):
    seen = _choices(rows, 1)
    found = learned(Choices(seen.x, np.zeros(rows, dtype=np.intp), np.ones(rows), 3))
    views = found.views(seen.x)
    pmf = softmax(found.scores(seen.x, views))
    assert pmf[:, 0].min() > 0.9
    # The next one may be the first of another kind: one half in n + 3 / 2.
    assert pmf[:, 0].max() <= (rows + 0.5) / (rows + 1.5) + 1e-9
    sure = found.sure(pmf, views, pmf.argmax(axis=1))
    assert 0.9 < sure.min() <= sure.max() < (rows + 0.5) / (rows + 1)


def test_what_comes_on_top_adds_to_what_is_known():
    first = learned(_choices(100, 1))
    assert learned(_choices(50, 2), before=first).known == 150


def test_what_was_saved_before_doubt_was_kept_still_loads():
    found = learned(_choices(100, 1))
    words = {name: value for name, value in found.words_to_save().items() if name != "known"}
    old = loaded(words, found.arrays_to_save("a"), "a")
    assert old.scores(_choices(20, 3).x).shape == (20, 2)


def test_very_few_choices_get_the_plain_view_alone():
    found = learned(_choices(19, 1))
    assert (found.waves, found.trees, len(found.shares)) == (None, None, 1)


@pytest.mark.parametrize("rows", [60, 400])
def test_it_is_as_sure_as_it_is_right(rows: int):
    new = _choices(3000, 9)
    gaps = []
    for seed in range(5):
        found = learned(_choices(rows, seed))
        views = found.views(new.x)
        pmf = softmax(found.scores(new.x, views))
        answers = pmf.argmax(axis=1)
        gaps.append(found.sure(pmf, views, answers).mean() - (answers == new.labels).mean())
    assert abs(np.mean(gaps)) < 0.05


def test_the_same_choices_give_the_same_bits_and_so_does_a_saved_likeness():
    seen, new = _choices(300, 1), _choices(50, 2)
    one, other = learned(seen), learned(seen)
    again = loaded(one.words_to_save(), one.arrays_to_save("a"), "a")
    for same in (other, again):
        assert (one.scores(new.x) == same.scores(new.x)).all()
        assert (one.sureness == same.sureness).all()


def test_a_class_nobody_chose_is_unlikely_and_no_error():
    seen = _choices(300, 1)
    found = learned(Choices(seen.x, seen.labels, seen.weights, 4))
    pmf = softmax(found.scores(seen.x))
    assert pmf.shape == (300, 4)
    assert pmf[:, 2:].max() < 0.1
