"""`intel-ml sandbox evaluate`: a table for people, JSON for scripts, one line for a wrong name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intel_ml.intelligence.policy import make_policy
from intel_ml.surfaces.cli.main import run
from tests import two_shops

SHORT = ("--days", "2", "--seeds", "1")


@pytest.fixture
def world(tmp_path: Path) -> str:
    return str(two_shops.written(tmp_path, two_shops.ONE))


def test_a_saved_policy_is_played_and_told_as_table_and_report(
    world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_policy("uniform").save(tmp_path / "mine")
    report = tmp_path / "reports" / "mine.html"
    asked = ["--policy", str(tmp_path / "mine"), "--world", world, "--out", str(report)]
    assert run(["sandbox", "evaluate", *asked, *SHORT]) == 0
    told = capsys.readouterr().out
    assert told.startswith("mine makes ")
    for word in ("do-nothing", "rules", "random", "mine", "oracle", "USD", f"'{two_shops.NAME}'"):
        assert word in told
    assert "data:image/png" in report.read_text(encoding="utf-8")


def test_json_is_one_document(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--policy", "rules", "--world", world, "--approver", "careful", "--json"]
    assert run(["sandbox", "evaluate", *asked, *SHORT]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["approver"] == "careful"
    assert [one["decider"] for one in told["deciders"]] == [
        *("do-nothing", "rules", "random", "oracle")
    ]


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        (("--policy", "rigde"), "ridge"),
        (("--policy", "rules", "--world", "demmo"), "demo"),
        (("--policy", "rules", "--approver", "carefull"), "careful"),
        (("--policy", "rules", "--out", "report.pdf"), ".html or .png"),
    ],
)
def test_a_wrong_name_leaves_with_2_and_the_nearest(
    wrong: tuple[str, ...], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "evaluate", *wrong, *SHORT]) == 2
    assert nearest in capsys.readouterr().err
