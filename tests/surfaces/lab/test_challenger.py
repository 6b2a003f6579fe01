"""The challenger's seat, and the evidence it gathers beside the champion."""

from __future__ import annotations

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning import promotion
from intel_ml.learning.promotion import Evidence
from intel_ml.learning.registry import Registration, Registry
from intel_ml.learning.training import training_log
from intel_ml.surfaces.lab.challenger import compare_challenger
from intel_ml.surfaces.lab.models import Desk
from tests.learning.champions import GOOD, NOW, PROMOTED, PROOF, Champion, lived, promoted


def _in_shadow(champion: Champion) -> str:
    lives = champion.lives
    with lives.registry.run("tests", "challenger") as run:
        version = lives.registry.register_policy(
            make_policy("uniform"), registration=Registration(lives.model.name, run.id)
        )
    proof = Evidence(PROOF, training_rows=70)
    promotion.admit(lives, version, evidence=proof, by="ada", now=PROMOTED)
    return version


@pytest.mark.server
def test_the_challenger_keeps_its_seat_until_it_is_proved_worse(
    store: Store, registry: Registry
) -> None:
    champion = promoted(store, registry, GOOD)
    lived(store, is_worse=False, rows=200)
    lives, name = champion.lives, champion.lives.model.name
    with store.connection() as connection:
        log = training_log(connection, now=NOW)
    desk = Desk(registry, store, lives.model, "", registry.open_run("tests", "desk"), NOW, 0)
    first = _in_shadow(champion)
    few = compare_challenger(desk, log.head(5))
    assert (few.version, few.report) == (first, None)
    assert "5 decisions were measured" in repr(few)
    seen = compare_challenger(desk, log)
    assert seen.version == first
    assert seen.report is not None
    told = promotion.evidence(registry, store, name=name, version="challenger")
    assert told.life[-1].status == "shadow"
    assert told.life[-1].reason.startswith("compared again")
    assert told.numbers["samples"] == seen.report.n + 70
    second = _in_shadow(champion)
    assert compare_challenger(desk, log.head(5)).version == first
    lost = Evidence(PROOF, details={"conclusion": "worse", "why": "it lost"})
    promotion.weigh(lives, first, evidence=lost, by="40", now=NOW)
    assert compare_challenger(desk, log.head(5)).version == second


@pytest.mark.server
def test_without_a_version_in_shadow_nobody_challenges(store: Store, registry: Registry) -> None:
    champion = promoted(store, registry, GOOD)
    registry.remove_alias(champion.lives.model.name, "shadow")
    run = registry.open_run("tests", "desk")
    desk = Desk(registry, store, champion.lives.model, "", run, NOW, 0)
    with store.connection() as connection:
        found = compare_challenger(desk, training_log(connection, now=NOW))
    assert found.version is None
    assert "nobody challenges" in found._repr_html_()
