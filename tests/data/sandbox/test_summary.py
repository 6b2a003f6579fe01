"""What a world file holds is counted, and what makes it special is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.data.sandbox.summary import summary_of
from intel_ml.data.sandbox.worldfile import load_world_file


def test_a_world_is_counted(small_file: Path) -> None:
    found = summary_of(load_world_file(small_file))
    assert (found.accounts, found.campaigns, found.adsets, found.ads) == (1, 2, 4, 8)
    assert (found.currencies, found.kinds) == (("USD",), ("good", "worn"))
    assert found.special == ()


@pytest.mark.parametrize(
    ("name", "special"),
    [
        ("agency", ("with shocks", "other settings of pixel", "bids on 1,250 ad sets")),
        ("fatigue", ("without auction, learning, noise, outside",)),
        ("null", ("actions have no effect",)),
        ("nonstationary", ("with drift, shocks",)),
        ("thin", ("goods 8 times as dear",)),
    ],
)
def test_what_makes_a_world_special_is_named(name: str, special: tuple[str, ...]) -> None:
    assert summary_of(load_world_file(name)).special == special
