"""Whether a policy may be put to use, and whether the one in use may stay."""

from __future__ import annotations

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.learning import promotion
from intel_ml.learning.promotion import Evidence
from intel_ml.learning.registry import Registry
from intel_ml.learning.training import training_log
from intel_ml.surfaces.lab.models import Desk
from intel_ml.surfaces.lab.standing import asked, watched
from tests.learning.champions import GOOD, NOW, lived, promoted


def _desk(lives: promotion.Lives, store: Store, *, least: int = 0) -> Desk:
    run = lives.registry.open_run("studies", "a study")
    return Desk(lives.registry, store, lives.model, "", run, NOW, least)


@pytest.mark.server
def test_the_one_in_use_is_watched_from_its_promotion_on_and_not_demoted_by_looking(
    store: Store, registry: Registry
) -> None:
    champion = promoted(store, registry, GOOD)
    desk = _desk(champion.lives, store)
    lived(store, is_worse=True)
    with store.connection() as connection:
        log = training_log(connection, now=NOW)
    found = watched(desk, None, log)
    assert found is not None
    assert found.must_go
    assert champion.alias("champion") == champion.version
    promotion.demote(champion.lives, by="ada", reason="worse", now=NOW)
    assert watched(desk, None, log) is None


@pytest.mark.server
def test_what_is_asked_is_what_promoting_would_ask_with_the_floor_of_the_settings(
    store: Store, registry: Registry
) -> None:
    champion = promoted(store, registry, GOOD)
    desk = _desk(champion.lives, store, least=123_456)
    found = asked(desk, Evidence(numbers={"samples": 5000.0, "e_value": None}))
    found = found.set_index("what is asked")
    assert found.loc["measured outcomes", ["needed", "enough"]].tolist() == [
        "at least 123,456",
        "no",
    ]
    assert set(found["enough"]) == {"no"}, "what was not measured is not enough"
