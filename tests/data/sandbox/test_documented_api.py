"""What the page on the sandbox's API says is what the sandbox does: every command is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.graph.faults import fault_of
from intel_ml.data.sandbox.graph.reports import Outcome
from intel_ml.data.sandbox.graph.spoiling import KINDS, NONSENSE
from intel_ml.data.sandbox.graph.writes import UPDATABLE

PAGE = Path(__file__).parents[3] / "docs" / "sandbox-api.md"
TEXT = PAGE.read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(\w+)` \| `(.+?)` \| ", re.MULTILINE)


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def commands() -> list[str]:
    """Return what is typed, in order; the address and the token are the test's own."""
    fences = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for fence in fences for line in fence.splitlines()]
    return [line for line in lines if not line.startswith("export ")]


def test_every_command_of_the_page_is_answered_as_it_should(served: Any) -> None:
    shell = [f"set -e -o pipefail; export SANDBOX={served.url} TOKEN=write-token"]
    for line in commands():
        shell += [line, 'printf "\\n"'] if line.startswith("curl") else [line]
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*"}
    done = subprocess.run(
        ["/bin/bash", "-c", "\n".join(shell)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    asked = [line for line in commands() if line.startswith("curl")]
    assert len(answers) == len(asked)
    failed = [(line, one) for line, one in zip(asked, answers, strict=True) if "error" in one]
    assert failed == []
    adsets = served.world.population.adsets
    assert adsets[0].status == "PAUSED"
    assert adsets[-1].name == f"{adsets[0].name} II"


def test_the_table_of_faults_is_the_settings_of_a_fault() -> None:
    told = dict(_ROW.findall(section("Faults")))
    fault = fault_of({})
    assert {name: _value(default) for name, default in told.items()} == {
        name: getattr(fault, name) for name in fault.settings()
    }


def _value(default: str) -> Any:
    value = json.loads(default)
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("start", "known"), [("Failures by `kind`", KINDS), ("Kinds of `nonsense`", NONSENSE)]
)
def test_the_names_of_failures_are_all_listed(start: str, known: dict[str, object]) -> None:
    text = section("Faults").partition(f"{start}:")[2].partition(".")[0]
    assert re.findall(r"`(\w+)`", text) == list(known)


@pytest.mark.parametrize("level", list(EntityType))
def test_the_table_of_writes_names_every_parameter(level: EntityType) -> None:
    (row,) = re.findall(rf"^\| `POST /{{{level}}}` \| (.+) \|$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == UPDATABLE[level] - {"execution_options"}


def test_every_ending_of_a_report_is_told() -> None:
    table = section("Faults").partition("| ending |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Outcome)
