"""A champion that became worse is out of service the same day; one of equal value stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.learning import promotion
from intel_ml.learning.registry import Registry
from intel_ml.learning.watching import watch_champion
from tests.learning.champions import GOOD, NOW, lived, promoted


@pytest.mark.server
def test_a_champion_that_became_worse_is_demoted_with_its_evidence(
    store: Store, registry: Registry
) -> None:
    champion = promoted(store, registry, GOOD)
    lived(store, is_worse=True)
    seen = watch_champion(champion.lives, now=NOW)
    assert seen.is_demoted
    assert champion.alias("champion") is None
    assert champion.alias("shadow") == champion.version
    name = champion.lives.model.name
    told = promotion.evidence(registry, store, name=name, version=champion.version)
    last = told.life[-1]
    assert (last.status, last.changed_by) == ("shadow", "reverse e-process")
    assert last.evidence["conclusion"] == "worse"
    assert last.evidence["numbers"]["reverse_e_value"] > 20
    assert "reverse e-value" in told.text
    assert f"Watched: {NOW:%Y-%m-%d %H:%M}" in told.text
    again = watch_champion(champion.lives, now=NOW)
    assert (again.version, again.is_demoted) == (None, False)
    refused = promotion.promote(champion.lives, champion.version, by="ada", now=NOW)
    assert "being worse than the champion: at most 20" in str(refused)


@pytest.mark.server
def test_a_champion_of_equal_value_stays_and_says_what_was_seen(
    store: Store, registry: Registry
) -> None:
    champion = promoted(store, registry, GOOD)
    lived(store, is_worse=False)
    for day in range(3):
        seen = watch_champion(champion.lives, now=NOW - timedelta(days=2 - day))
        assert not seen.is_demoted
        assert champion.alias("champion") == champion.version
    told = promotion.evidence(
        registry, store, name=champion.lives.model.name, version=champion.version
    )
    assert told.life[-1].status == "active"
    assert "decisions since" in told.text
    assert seen.numbers["reverse_e_value"] is not None
