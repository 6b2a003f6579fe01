"""World files: read strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.ledger import Column
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
        ("cpa_ratio = [0.4, 0.6]", "cpa_ratio = [0.6, 0.4]", "kinds.good.cpa_ratio"),
        ("cpm = 12", "cpm = -12", "accounts[0].cpm"),
        ("cpm = 12", "cpm = nan", "finite"),
        ("cpm = 12", "cpm = 12\nmatch_quality = 11", "must be from 0 to 10"),
        ("budget = 150", "budget = 0.5", "at least min_daily_budget"),
        ("seed = 3", "seed = 3\ndigest = 'x'", "is computed"),
        ("budget = 200,", 'budget = 200, bid = 20, bid_strategy = "COST_CUP",', "'COST_CAP'"),
        ("budget = 200,", 'budget = 200, status = "PAUSD",', "'PAUSED'"),
        ('ads = ["A", "B", "C"]', "ads = []", "must name an ad"),
        (
            "[kinds.good]",
            "[auction]\nhour_amplitude = 1.5\n[kinds.good]",
            "auction.hour_amplitude",
        ),
        ("[kinds.good]", "[lag]\nshares = [1.0]\n[kinds.good]", "lag.delays_hours"),
        (
            "[kinds.good]",
            "[lag]\ndelays_hours = [0, 5]\nshares = [0.5, 0.4]\n[kinds.good]",
            "add up to 1",
        ),
        (
            "[kinds.good]",
            '[season]\nnamed = [{ name = "x", first = "02-30", last = "03-02" }]\n[kinds.good]',
            "season.named[0].first",
        ),
        (
            "[kinds.good]",
            "[outside]\npause_hours = [9, 4]\n[kinds.good]",
            "the smaller number first",
        ),
        (
            "[[accounts]]",
            "[[generate]]\naccounts = 2\nkinds = { wern = 1 }\nmarkets = []\n[[accounts]]",
            "Did you mean 'worn'",
        ),
        (
            "[[accounts]]",
            "[[generate]]\naccounts = 2\nkinds = { good = 1 }\nmarkets = []\n[[accounts]]",
            "generate[0].markets",
        ),
        (
            "[[accounts]]",
            "[[generate]]\nacounts = 2\n[[accounts]]",
            "Did you mean 'accounts'",
        ),
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


def test_a_world_without_accounts_says_how_to_add_them(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text('name = "e"\ndescription = "d"\nseed = 1\n[kinds]\n', encoding="utf-8")
    with pytest.raises(InvalidValueError, match=r"\[\[generate\]\]"):
        load_world_file(path)


def test_a_world_can_be_like_one_of_your_own(small_file: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_bytes(small_file.read_bytes())
    path = tmp_path / "calm.toml"
    path.write_text('like = "base.toml"\n[noise]\nenabled = false\n', encoding="utf-8")
    world = load_world_file(path)
    assert world.name == "small"
    assert not world.noise.enabled
    path.write_text("like = 3\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match=r"calm\.like"):
        load_world_file(path)


@pytest.mark.parametrize("name", [one for one in world_names() if one != "agency"])
def test_every_shipped_world_plays(name: str) -> None:
    world = World.load(name, start=datetime(2026, 10, 20, tzinfo=UTC))
    world.advance(24)
    assert world.ledger.counts[Column.SPEND].sum() > 0
