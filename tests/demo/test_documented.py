"""What the pages tell people to type is typed here, as it stands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.demo.running import Demo
from tests.docs.pages import README, Documented, blocks, commands

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]

#: These need nothing of the reader's own: no file, no account, no second platform.
_RUNNABLE = ("token", "kill", "revive", "audit", "status", "doctor")
_TYPED = [
    command
    for command in dict.fromkeys(commands())
    if command.is_fenced and command.words[0] in _RUNNABLE
]


@pytest.mark.parametrize("command", _TYPED, ids=str)
def test_a_documented_command_works_on_the_demo(demo: Demo, command: Documented) -> None:
    done = demo.cli(*command.words)
    if command.words[0] == "kill":
        demo.cli("revive", "--reason", "the test is over")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_ten_lines_of_the_data_scientist_work_on_the_demo(demo: Demo) -> None:
    if not any(m["name"] == "campaign-policy" for m in demo.json("models", "list")):
        pytest.skip("so few days gave no policy to compare with")
    (lines,) = blocks(README, "python")
    done = subprocess.run(
        [sys.executable, "-c", f"{lines}\nassert len(log)"],
        cwd=demo.project,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
