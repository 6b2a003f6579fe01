"""World files: read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.data.sandbox.worldfile import load_world_file, world_names


@pytest.mark.parametrize("name", world_names())
def test_every_shipped_world_is_valid(name: str) -> None:
    world = load_world_file(name)
    assert world.name == name
    assert world.description


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed = 3", "sead = 3", "Did you mean 'seed'"),
        ("cpm = 12", "cpn = 12", "Did you mean 'cpm'"),
        ("cpm = 12", 'cpm = "12"', "must be float"),
        ("cpm = 12", "", "is missing"),
        ('kind = "worn"', 'kind = "wern"', "Did you mean 'worn'"),
        ('currency = "USD"', 'currency = "XYZ"', "not a currency"),
        ('time_zone = "America/New_York"', 'time_zone = "Mars/Base"', "not an IANA time zone"),
        (
            "[kinds.good]",
            "[fatigue]\nhalflife_hours = 1\n[kinds.good]",
            "Did you mean 'half_life_hours'",
        ),
        ("cpa_ratio = [0.4, 0.6]", "cpa_ratio = [0.4]", "must have 2 values"),
        ("budget = 150", "", "either the campaign or the ad set"),
        ("seed = 3", "seed = ", "not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    small_file: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    text = small_file.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(IntelError) as found:
        load_world_file(path)
    assert says in str(found.value)
    assert isinstance(found.value, InvalidValueError | UnknownNameError)


def test_a_world_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="demo"):
        load_world_file("demoo")
    with pytest.raises(NotFoundError):
        load_world_file(tmp_path / "none.toml")
