from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import (
    InvalidValueError,
    MissingColumnsError,
    ModelRefusedError,
    NotEnoughDataError,
)
from intel_ml.intelligence import clusters
from intel_ml.intelligence.clusters import labels
from intel_ml.intelligence.clusters.archetypes import ANOMALOUS, UNJUDGED
from intel_ml.intelligence.clusters.labels import BY_TARGET, label

# Three kinds: cheap and fresh, fair and steady, dear and tired.
KINDS = [(0.7, 0.03, 2.4), (1.6, 0.15, 1.2), (4.0, 0.5, 0.6)]


def _signatures(each: int = 40, *, seed: int = 0, scale: float = 20.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for kind, (ratio, fatigue, ctr) in enumerate(KINDS):
        for i in range(each):
            bump = float(random.lognormal(0, 0.1))
            rows.append(
                {
                    "ad_account_id": "act_1",
                    "entity_type": "adset",
                    "entity_id": f"{kind}-{i}",
                    "avg_cpa_ratio": ratio * bump,
                    "avg_cpa": ratio * bump * scale,
                    "fatigue_rate": fatigue * float(random.lognormal(0, 0.1)),
                    "ctr": ctr * float(random.lognormal(0, 0.1)),
                    "cpa_volatility": None,
                    "kind": kind,
                }
            )
    return pd.DataFrame(rows)


def test_it_finds_the_kinds_and_names_them_as_the_plan_does() -> None:
    signatures = _signatures()
    found = clusters.fit(signatures, k=3)
    assert found.names == (
        "Star Performers",
        "Reliable Workhorses",
        "Fast Fatiguing",
    )
    names = found.assign(signatures)["nearest"]
    assert names.groupby(signatures["kind"]).nunique().tolist() == [1, 1, 1]
    assert names.nunique() == 3


def test_the_silhouette_finds_how_many_kinds_there_are() -> None:
    assert clusters.fit(_signatures(), k=None).k == 3


def test_what_nobody_could_compute_is_listed_not_invented() -> None:
    found = clusters.fit(_signatures().drop(columns="fatigue_rate"), k=3)
    assert set(found.unavailable) == {
        "cpa_volatility",
        "fatigue_rate",
        "conversion_rate",
        "optimal_frequency",
        "best_hour_concentration",
        "budget_efficiency",
        "cpc",
    }
    assert found.usable == ("avg_cpa_ratio", "ctr")
    assert "fatigue" not in " ".join(found.table()["characteristics"])
    assert found.table()["named_by"].str.contains("fatigue unknown").all()


def test_unknown_values_take_the_median_and_are_counted() -> None:
    signatures = _signatures()
    signatures.loc[:4, "ctr"] = np.nan
    signatures.loc[5, ["ctr", "avg_cpa_ratio", "avg_cpa", "fatigue_rate"]] = np.nan
    found = clusters.fit(signatures, k=3)
    assert (found.rows_imputed, found.rows_unjudged) == (5, 1)
    assigned = found.assign(signatures)
    assert assigned["archetype"][5] == UNJUDGED
    assert math.isnan(assigned["distance"][5])


def test_an_entity_like_no_other_is_named_and_not_forced_into_a_group() -> None:
    signatures = _signatures()
    found = clusters.fit(signatures, k=3)
    odd = signatures.iloc[[0]].assign(ctr=500.0, fatigue_rate=40.0)
    assigned = found.assign(odd).iloc[0]
    assert assigned["is_anomalous"]
    assert assigned["archetype"] == ANOMALOUS
    assert assigned["nearest"] in found.names


@settings(max_examples=5, deadline=None)
@given(factor=st.floats(0.01, 200), seed=st.integers(0, 3))
def test_the_accounts_currency_does_not_matter(factor: float, seed: int) -> None:
    signatures = _signatures(seed=seed).drop(columns="avg_cpa_ratio")
    other = signatures.assign(avg_cpa=signatures["avg_cpa"] * factor)
    first = clusters.fit(signatures, k=3).assign(signatures)["archetype"]
    assert clusters.fit(other, k=3).assign(other)["archetype"].tolist() == first.tolist()


def test_accounts_in_two_currencies_share_archetypes() -> None:
    dollars = _signatures().drop(columns="avg_cpa_ratio")
    yen = dollars.assign(avg_cpa=dollars["avg_cpa"] * 150, ad_account_id="act_2")
    both = pd.concat([dollars, yen], ignore_index=True)
    assigned = clusters.fit(both, k=3).assign(both)["archetype"]
    half = len(dollars)
    assert assigned[:half].tolist() == assigned[half:].tolist()


def test_the_order_of_rows_does_not_matter() -> None:
    signatures = _signatures()
    shuffled = signatures.sample(frac=1, random_state=3)
    first = clusters.fit(signatures, k=3).assign(signatures)["archetype"]
    again = clusters.fit(shuffled, k=3).assign(signatures)["archetype"]
    assert first.tolist() == again.tolist()


def test_two_groups_of_one_name_are_told_apart() -> None:
    names = clusters.fit(_signatures(), k=5).names
    assert len(set(names)) == 5


@given(
    centres=st.lists(
        st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=2, max_size=12
    ).map(np.array)
)
def test_groups_of_one_name_are_all_told_apart_in_few_words(centres) -> None:
    features = ("avg_cpa_ratio", "conversion_rate", "ctr")
    names = labels.told_apart([labels.STAR] * len(centres), centres, features)
    assert len(set(names)) == len(names)
    assert all(name.startswith(labels.STAR) and len(name) < 60 for name in names)


def test_saved_archetypes_assign_the_same(tmp_path: Path) -> None:
    signatures = _signatures()
    found = clusters.fit(signatures, k=3)
    found.save(tmp_path)
    again = clusters.load(tmp_path)
    assert again.assign(signatures).equals(found.assign(signatures))
    assert again.table().equals(found.table())
    assert again.unavailable == found.unavailable


def test_a_policy_is_not_loaded_as_archetypes(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError):
        clusters.load(tmp_path)


def test_too_little_is_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        clusters.fit(_signatures(each=2))
    with pytest.raises(MissingColumnsError):
        clusters.fit(pd.DataFrame({"entity_id": ["1"] * 20}))
    with pytest.raises(InvalidValueError):
        clusters.fit(_signatures(), k=1)


def test_fewer_groups_are_made_than_asked_for_when_entities_are_few() -> None:
    assert clusters.fit(_signatures(each=4), k=8).k == 3


@pytest.mark.parametrize(
    ("ratio", "fatigue", "name"),
    [
        (0.99, 0.09, "Star Performers"),  # the plan's 20 and 0.1
        (1.0, 0.09, "Reliable Workhorses"),
        (1.9, 0.19, "Reliable Workhorses"),  # 40 and 0.2
        (0.5, 0.31, "Fast Fatiguing"),  # 0.3, however cheap
        (3.1, 0.25, "High CPA Candidates for Pause"),  # 60
        (2.5, 0.25, "Mixed Performance"),
        (
            0.5,
            math.nan,
            "Star Performers",
        ),  # fatigue unknown: judged by cost, and the basis says so
        (math.nan, 0.0, "Mixed Performance"),  # cost unknown is never good and never bad
    ],
)
def test_names_follow_the_plans_thresholds(ratio: float, fatigue: float, name: str) -> None:
    assert label(ratio, fatigue, BY_TARGET) == name


def test_the_picture_shows_every_group_and_names_both_axes() -> None:
    signatures = _signatures()
    found = clusters.fit(signatures, k=3)
    picture = clusters.figure(found, signatures)
    axes = picture.axes[0]
    texts = " ".join(text.get_text() for text in axes.get_legend().get_texts())
    assert all(name in texts for name in found.names)
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    picture.canvas.draw()
