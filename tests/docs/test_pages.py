"""What the pages say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from intel_ml.surfaces.cli.main import app
from intel_ml.surfaces.settings import Settings, project_home
from tests.docs.pages import PAGES, README, ROOT, Documented, blocks, commands, links, shell_lines

_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_OURS = re.compile(r"`((?:src|docs|models|notebooks|pipelines|serving)/[^\s`…]+)`")
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


@pytest.mark.parametrize("command", commands(), ids=str)
def test_every_command_exists_and_its_options_parse(command: Documented) -> None:
    missing, left = parsed(command.words)
    assert left == []
    # In the text a command is named; in a block it is to be typed as it stands.
    assert missing == [] or not command.is_fenced


def test_the_pages_show_a_command_of_every_kind_of_user() -> None:
    shown = {command.words[0] for command in commands() if command.is_fenced}
    assert shown >= {"models", "token", "kill", "revive", "audit", "db", "import", "run", "up"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    typed = [line.split() for line in shell_lines(page) if line.startswith("make ")]
    assert {words[1] for words in typed} <= targets


def test_the_table_of_settings_is_the_settings() -> None:
    page = (ROOT / "docs" / "operator-guide.md").read_text()
    table = page.partition("## Settings")[2].partition("###")[0]
    told = [(name, default.strip("`"), says) for name, default, says in _ROW.findall(table)]
    assert told == [
        (name.upper(), _shown(field), field.description)
        for name, field in Settings.model_fields.items()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    local = [link.partition("#")[0] for link in links(page) if "://" not in link]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_ours_that_a_page_names_is_there(page: Path) -> None:
    named = _OURS.findall(page.read_text())
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_python_of_the_readme_compiles() -> None:
    found = blocks(README, "python")
    assert found
    for block in found:
        compile(block, str(README), "exec")


def parsed(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return what a command lacks, and what it was given for nothing; runs nothing."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="intel-ml")
    left = list(words)
    while hasattr(command, "resolve_command"):
        name, command, left = command.resolve_command(context, left)
        context = command.context_class(command, info_name=name, parent=context)
    values, left, _ = command.make_parser(context).parse_args(args=left)
    missing = [one.name for one in command.params if one.required and not values.get(one.name)]
    return missing, left


def _shown(field: Any) -> str:
    value = field.default_factory() if field.default_factory else field.default
    if value is None:
        return "–"  # noqa: RUF001  # the dash the table has
    if isinstance(value, Path):
        return str(value.relative_to(project_home()))
    return str(value).lower() if isinstance(value, bool) else str(value)
