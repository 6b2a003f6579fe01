"""`intel-ml sandbox evaluate`: a table for people, JSON for scripts, one line for a wrong name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intel_ml.intelligence.policy import make_policy
from intel_ml.surfaces.cli.main import run

WORLD = """
name = "corner shop"
description = "One account, one ad set that pays and one that does not."
seed = 3

[kinds.good]
cpa_ratio = [0.4, 0.6]

[kinds.bad]
cpa_ratio = [2.5, 3.5]

[[accounts]]
id = "7"
name = "Corner Shop"
currency = "EUR"
time_zone = "Europe/Berlin"
target_cpa = 20
target_roas = 2.5
cpm = 12
order_value = 46

[[accounts.campaigns]]
name = "Always On"
adsets = [
  { name = "Lookalike", kind = "good", budget = 200, ads = ["A"] },
  { name = "Broad", kind = "bad", budget = 120, ads = ["A"] },
]
"""
SHORT = ("--days", "2", "--seeds", "1")


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "corner.toml"
    path.write_text(WORLD, encoding="utf-8")
    return str(path)


def test_a_saved_policy_is_played_and_told_as_table_and_report(
    world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_policy("uniform").save(tmp_path / "mine")
    report = tmp_path / "reports" / "mine.html"
    asked = ["--policy", str(tmp_path / "mine"), "--world", world, "--out", str(report)]
    assert run(["sandbox", "evaluate", *asked, *SHORT]) == 0
    told = capsys.readouterr().out
    assert told.startswith("mine makes ")
    for word in ("do-nothing", "rules", "random", "mine", "oracle", "EUR", "'corner shop'"):
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
