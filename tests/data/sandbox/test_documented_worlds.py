"""What `docs/sandbox.md` says of world files is what the program reads."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

from intel_ml.data.sandbox.accountfile import (
    AccountFile,
    AdSetFile,
    CampaignFile,
    Generate,
    Kind,
    MarketFile,
)
from intel_ml.data.sandbox.approvers import PROFILES
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.mechanisms.season import NamedSeason
from intel_ml.data.sandbox.worldfile import WorldFile, load_world_file, world_names
from intel_ml.learning.simulation.pictures import HEADERS

PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
TEXT = PAGE.read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([\w]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
MECHANISMS = {
    one.name: one.default_factory
    for one in fields(WorldFile)
    if hasattr(one.default_factory, "enabled")
}
SECTIONS: dict[str, Any] = {
    "At the top of the file": WorldFile,
    "`[kinds.NAME]`": Kind,
    "`[[accounts]]`": AccountFile,
    "`[[accounts.campaigns]]`": CampaignFile,
    "`adsets = [{ … }]`": AdSetFile,
    "`[[generate]]`": Generate,
    "`[[generate.markets]]`": MarketFile,
    **{f"`[{name}]`": cls for name, cls in MECHANISMS.items()},
    "`named = [{ … }]` of `[season]`": NamedSeason,
}


def told(title: str) -> list[tuple[str, str]]:
    """The (key, default) pairs of one section's table."""
    section = TEXT.partition(f"### {title}\n")[2]
    section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
    return [(key, default) for key, _unit, default, _meaning in _ROW.findall(section)]


def as_written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(as_written(one) for one in value)}]"
    return repr(value)


def default_of(one: Field[Any]) -> str:
    if one.default is not MISSING:
        return "none" if one.default is None else f"`{as_written(one.default)}`"
    assert one.default_factory is MISSING
    return "required"


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_is_told_with_its_default(title: str) -> None:
    own = {*MECHANISMS, "digest"} if SECTIONS[title] is WorldFile else set()
    keys = [one for one in fields(SECTIONS[title]) if one.name not in own]
    assert told(title) == [(one.name, default_of(one)) for one in keys]


def test_every_shipped_world_is_told() -> None:
    table = TEXT.partition("## The shipped worlds")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == world_names()


def test_the_example_world_loads_and_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = PYTHON[0]
    (tmp_path / "bakery.toml").write_text(example, encoding="utf-8")
    file = load_world_file(tmp_path / "bakery.toml")
    assert file.name == "bakery"
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(lines, names)  # noqa: S102  # what the page shows is what must run
    world = names["again"]
    spend = world.ledger.counts[Column.SPEND].sum(axis=0)
    neighbours, careful = spend[:2].sum(), spend[5]
    assert careful < 0.6 * neighbours
    assert world.hour == 48


def test_every_approver_is_told_and_the_example_judges() -> None:
    told_of = TEXT.partition("The people who answer:")[2].partition("\n\n")[0]
    assert [one for one in re.findall(r"`(\w+)`", told_of) if one != "consistency"] == list(
        PROFILES
    )
    names: dict[str, Any] = {}
    exec(PYTHON[1], names)  # noqa: S102  # what the page shows is what must run
    assert names["judged"].reason


def test_the_example_of_an_evaluation_has_its_columns_and_lines() -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = [one for one in shown.splitlines() if one]
    assert tuple(re.split(r" {2,}", lines[1].strip())) == HEADERS
    assert [one.split()[0] for one in lines[3:8]] == [
        *("do-nothing", "rules", "random", "ridge", "oracle")
    ]
    section = TEXT.partition("| column | meaning |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| ([^|]+?) \| ", section, re.MULTILINE)) == HEADERS[1:]
