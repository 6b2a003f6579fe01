"""World files: read strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intel_ml.core.errors import IntelError, InvalidValueError, UnknownNameError
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.worldfile import load_world_file, world_names

START = datetime(2026, 10, 20, tzinfo=UTC)


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
        ("cpm = 12", 'cpm = "12"', "accounts[0].cpm: must be a number, not text"),
        ("cpm = 12", "", "accounts[0].cpm: is missing"),
        ('id = "7"', "id = 7", "accounts[0].id: must be text, not a whole number"),
        ("seed = 3", "seed = 3.5", "seed: must be a whole number, not a number"),
        ("seed = 3", "seed = 2026-11-01", "seed: must be a whole number, not a date or time"),
        ("seed = 3", "seed = 3\nfatige = 1", "Unknown key 'fatige'. Did you mean 'fatigue'"),
        ("seed = 3", "seed = 3\nnoise = false", "noise: must be a table, not true or false"),
        ("cpm = 12", "cpm = 0.001", "accounts[0].cpm: must be at least 0.01, the smallest coin"),
        ("[kinds.good]", "[auction]\nweekend = 0\n[kinds.good]", "must be from 0.01 to 100"),
        ("[kinds.good]", "[noise]\nprice = 50\n[kinds.good]", "noise.price: is 50, but must be"),
        ("seed = 3", "seed = 3\ndrift = { farthest = 99 }", "drift.farthest: is 99, but must be"),
        ("cpa_ratio = [0.4, 0.6]", "cpa_ratio = [1, 2]\ndays_old = [1, 1e9]", "0 to 36500"),
        ("cpm = 12", "cpm = 9e30", "must be above 0 and at most 1e+12"),
        ('kind = "worn"', 'kind = "wern"', "Did you mean 'worn'"),
        ('currency = "USD"', 'currency = "XYZ"', "accounts[0].currency: 'XYZ' is not a currency"),
        (
            'time_zone = "America/New_York"',
            'time_zone = "Mars/Base"',
            "accounts[0].time_zone: 'Mars/Base' is not an IANA time zone",
        ),
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
        (
            "budget = 150",
            "budget = 0.5",
            "accounts[0].campaigns[1].budget: is 0.5, but must be at least min_daily_budget",
        ),
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
    with pytest.raises(InvalidValueError, match=r"none\.toml: there is no such world file"):
        load_world_file(tmp_path / "none.toml")
    (tmp_path / "noise.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(InvalidValueError, match=r"text in UTF-8"):
        load_world_file(tmp_path / "noise.toml")
    with pytest.raises(InvalidValueError, match=r'with its "\.toml"'):
        load_world_file(tmp_path / "noise")


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
    with pytest.raises(InvalidValueError, match=r"^like:"):
        load_world_file(path)


@pytest.mark.parametrize("seed", [-77, 2**63, 2**64 + 5])
def test_any_whole_number_is_a_seed(small_file: Path, seed: int) -> None:
    worlds = [World.load(small_file, start=START, seed=one) for one in (seed, seed, seed + 1)]
    for world in worlds:
        world.advance(3)
    mine, again, other = (one.ledger.counts for one in worlds)
    assert (mine == again).all()
    assert (mine != other).any()


@pytest.mark.parametrize("name", [one for one in world_names() if one != "agency"])
def test_every_shipped_world_plays(name: str) -> None:
    world = World.load(name, start=START)
    world.advance(24)
    assert world.ledger.counts[Column.SPEND].sum() > 0
