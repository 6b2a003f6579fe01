from __future__ import annotations

import pandas as pd
import pytest

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence import clusters
from tests.intelligence.clusters.test_clusters import _signatures


def test_the_same_entities_again_have_not_moved_whatever_the_seed() -> None:
    signatures = _signatures()
    before, after = (clusters.fit(signatures, k=3, seed=seed) for seed in (0, 5))
    found = clusters.drift(before, after, signatures)
    assert found.moved == 0.0
    assert found.agreement == pytest.approx(1.0)
    assert [one.shared for one in found.matches] == [1.0, 1.0, 1.0]
    assert not found.new
    assert not found.gone


def test_a_group_that_splits_is_said_to_be_new_and_its_part_has_moved() -> None:
    signatures = _signatures()
    before = clusters.fit(signatures[signatures["kind"] < 2], k=2)
    after = clusters.fit(signatures, k=3)
    found = clusters.drift(before, after, signatures)
    assert found.entities == len(signatures)
    assert len(found.new) == 1
    assert found.new[0] in found.text
    assert found.text in str(found)
    assert found.new[0] in found._repr_html_()
    assert found.moved == pytest.approx(1 / 3, abs=0.02)
    assert int(found.table.to_numpy().sum()) == len(signatures)


def test_an_entity_that_changed_its_ways_has_moved() -> None:
    signatures = _signatures()
    one = clusters.fit(signatures, k=3)
    changed = signatures.copy()
    cheap, dear = (signatures.index[signatures["kind"] == kind] for kind in (0, 2))
    names = ["avg_cpa_ratio", "avg_cpa", "fatigue_rate", "ctr"]
    changed.loc[cheap[:10], names] = changed.loc[dear[:10], names].to_numpy()
    assert clusters.drift(one, one, changed).moved == 0.0
    was, now = (one.assign(frame)["archetype"] for frame in (signatures, changed))
    assert (was != now).sum() == 10


def test_nobody_to_compare_is_said() -> None:
    one = clusters.fit(_signatures(), k=3)
    unknown = pd.DataFrame([{"ad_account_id": "act_1", "entity_id": "x", "avg_cpa": None}])
    with pytest.raises(NotEnoughDataError, match="entities that both versions judge"):
        clusters.drift(one, one, unknown)
