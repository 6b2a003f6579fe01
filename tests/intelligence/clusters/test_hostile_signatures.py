"""Archetypes of signatures nobody would wish for: a clear answer or a clear refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.intelligence import clusters
from intel_ml.intelligence.clusters.archetypes import ANOMALOUS, UNJUDGED
from intel_ml.intelligence.clusters.scaling import SIGNATURE_FEATURES

FEATURES = list(SIGNATURE_FEATURES)
MONEY = ("avg_cpa", "cpc")


def _signatures(rows: int = 90, *, seed: int = 0, account: str = "act_1") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    kind = np.arange(rows) % 3 - 1.0
    columns = {
        name: np.exp(kind * (1.0, -1.0, 0.5)[at % 3] + random.normal(0, 0.15, rows))
        for at, name in enumerate(FEATURES)
    }
    return pd.DataFrame(
        {
            "ad_account_id": account,
            "entity_type": "adset",
            "entity_id": [f"{account}-{at}" for at in range(rows)],
            **columns,
        }
    )


def _holes(signatures: pd.DataFrame, share: float, *, seed: int = 0) -> pd.DataFrame:
    holes = np.random.default_rng(seed).random((len(signatures), len(FEATURES))) < share
    return signatures.assign(**signatures[FEATURES].mask(holes))


def _copies(signatures: pd.DataFrame, kinds: int) -> pd.DataFrame:
    rows = np.arange(len(signatures)) % kinds
    return signatures.assign(**signatures[FEATURES].iloc[rows].reset_index(drop=True))


@pytest.mark.parametrize(
    ("signatures", "quantity"),
    [
        (_signatures(3), "entities with a signature"),
        (_signatures(0), "signature features"),
        (_copies(_signatures(), 1), "signature features"),
        (_holes(_signatures(), 0.9), "signature features"),
        (_signatures().assign(**dict.fromkeys(FEATURES, 0.0)), "signature features"),
        (_signatures().assign(**dict.fromkeys(FEATURES, np.inf)), "signature features"),
    ],
    ids=["three", "none", "all the same", "nine tenths missing", "all zero", "all infinite"],
)
def test_what_cannot_be_told_apart_is_refused_with_what_is_missing(
    signatures: pd.DataFrame, quantity: str
) -> None:
    for k in (5, None):
        with pytest.raises(NotEnoughDataError, match=quantity):
            clusters.fit(signatures, k=k)


def test_words_where_numbers_belong_are_refused_by_name() -> None:
    with pytest.raises(InvalidValueError, match="ctr"):
        clusters.fit(_signatures().assign(ctr="high"))


HOSTILE = {
    "as it should be": _signatures(),
    "two exact kinds": _copies(_signatures(), 2),
    "three exact kinds": _copies(_signatures(), 3),
    "all but three the same": _signatures().assign(
        **_signatures()[FEATURES].iloc[[0, 1, 2, *[3] * 87]].reset_index(drop=True)
    ),
    "a third missing": _holes(_signatures(), 0.33),
    "below zero": _signatures().assign(**-_signatures()[FEATURES]),
    "nobody paid": _signatures().assign(avg_cpa=0.0, cpc=0.0),
    "beyond all measure": _signatures().assign(ctr=_signatures()["ctr"] * 1e200),
    "next to nothing": _signatures().assign(**_signatures()[FEATURES] * 1e-300),
    "yes and no": _signatures().assign(
        **(_signatures()[FEATURES] > _signatures()[FEATURES].median()).astype(float)
    ),
    "one feature": _signatures()[["ad_account_id", "entity_id", "ctr"]],
    "an account each": _signatures().assign(ad_account_id=_signatures()["entity_id"]),
    "objects and None": _signatures().assign(
        **_signatures()[FEATURES].astype(object).mask(_signatures()[FEATURES] > 3, None)
    ),
}


@pytest.mark.parametrize("signatures", HOSTILE.values(), ids=HOSTILE)
def test_groups_are_whole_and_the_order_of_rows_changes_nothing(signatures: pd.DataFrame) -> None:
    shuffled = signatures.sample(frac=1, random_state=3)
    found, again = clusters.fit(signatures, k=5), clusters.fit(shuffled, k=5)
    assert 2 <= found.k <= 5
    assert len(set(found.names)) == found.k
    assert all(group.entities > 0 for group in found.groups)
    assert sum(group.entities for group in found.groups) == len(signatures) - found.rows_unjudged
    assert np.isfinite(found.centres).all()
    assert np.isfinite(found.limits).all()
    assert again.names == found.names
    mine = found.assign(signatures)
    assert set(mine["archetype"]) <= {*found.names, ANOMALOUS, UNJUDGED}
    for other in (again.assign(signatures), found.assign(shuffled).sort_index()):
        assert other["archetype"].tolist() == mine["archetype"].tolist()
    assert clusters.drift(found, again, signatures).moved == 0.0


def test_more_groups_than_entities_are_never_made() -> None:
    found = clusters.fit(_signatures(12), k=200)
    assert found.k <= 3


def test_one_giant_is_named_and_moves_nobody_else() -> None:
    plain = _signatures()
    giant = plain.iloc[[0]].assign(entity_id="giant", **dict.fromkeys(FEATURES, 1e12))
    both = pd.concat([plain, giant], ignore_index=True)
    without, found = clusters.fit(plain, k=3), clusters.fit(both, k=3)
    assert found.assign(both)["archetype"].iloc[-1] == ANOMALOUS
    nearest = found.assign(plain)["nearest"].tolist()
    before = without.assign(plain)["nearest"].tolist()
    groups = list(zip(before, nearest, strict=True))
    assert len(set(groups)) == 3, "each old group is one new group"


def test_an_account_is_judged_alike_in_yen_and_in_dinars() -> None:
    yen = _signatures().drop(columns="avg_cpa_ratio")
    dinars = yen.assign(
        ad_account_id="act_2",
        entity_id=[f"kw-{at}" for at in range(len(yen))],
        avg_cpa=yen["avg_cpa"] * 0.002,
        cpc=yen["cpc"] * 0.002,
    )
    both = pd.concat([yen, dinars], ignore_index=True)
    assigned = clusters.fit(both, k=3).assign(both)
    half = len(yen)
    assert assigned["archetype"][:half].tolist() == assigned["archetype"][half:].tolist()
