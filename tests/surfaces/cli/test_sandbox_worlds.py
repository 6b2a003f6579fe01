"""`intel-ml sandbox worlds`, `check` and `serve`: worlds without a platform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from intel_ml.data.sandbox.worldfile import world_names
from intel_ml.surfaces.cli.main import run

WORLD = """
name = "茶屋"
description = "A tea house in Kyoto."
seed = 3
kinds.good = { cpa_ratio = [0.4, 0.6] }
fatigue = { enabled = false }

[[accounts]]
id = "7"
name = "茶屋 京都"
currency = "JPY"
time_zone = "Asia/Tokyo"
target_cpa = 2500
target_roas = 3
cpm = 900
order_value = 6800

[[accounts.campaigns]]
name = "お茶"
adsets = [{ name = "近所", kind = "good", budget = 9000, ads = ["急須"] }]
"""
READ, WRITE = {"access_token": "read-token"}, {"access_token": "write-token"}


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "tea.toml"
    path.write_text(WORLD, encoding="utf-8")
    return str(path)


def test_worlds_are_listed_for_people_and_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "worlds"]) == 0
    told = capsys.readouterr().out
    assert run(["sandbox", "worlds", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == world_names()
    assert all(name in told for name in world_names())
    assert {one["name"]: one["ads"] for one in found}["agency"] == 100_000


def test_check_says_what_a_file_holds(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "check", world]) == 0
    told = capsys.readouterr().out
    assert "1 account, 1 campaign, 1 ad set, 1 ad\n" in told
    assert "JPY" in told
    assert "without fatigue" in told
    assert run(["sandbox", "check", world, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["special"] == ["without fatigue"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cpm = 900", "cpmm = 900", "accounts[0] 'cpmm'. Did you mean 'cpm'?"),
        ("budget = 9000", "budget = -9", "accounts[0].campaigns[0].adsets[0].budget: is -9"),
        ("cpm = 900", 'cpm = "viel"', "accounts[0].cpm: must be a number, not text"),
        ("[[accounts]]", "[[accounts", "not TOML"),
    ],
)
def test_check_leaves_with_2_and_the_place_of_what_is_wrong(
    world: str, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    Path(world).write_text(WORLD.replace(old, new), encoding="utf-8")
    assert run(["sandbox", "check", world]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1
    assert not told.out


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--start", "yesterday"), "start: 'yesterday' is no moment"),
        (("--start", "9999-12-31"), "start: must be from 1990"),
        (("--speed", "-1"), "--speed"),
        (("--port", "0"), "--port"),
        (("--world", "dmeo"), "Did you mean 'demo'?"),
    ],
)
def test_serve_refuses_what_cannot_be(
    wrong: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "serve", *wrong]) == 2
    assert says in capsys.readouterr().err


@dataclass(frozen=True)
class ByHand:
    """A served world: the process, and what it said first."""

    process: subprocess.Popen[str]
    said: str

    @property
    def url(self) -> str:
        (line,) = [one for one in self.said.splitlines() if "META_GRAPH_URL" in one]
        return line.split()[1]

    def told(self, path: str, **params: str) -> Any:
        answer = httpx.get(f"{self.url}/{path}", params=params, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, rest


@contextmanager
def served(*options: str) -> Iterator[ByHand]:
    argv = [sys.executable, "-m", "intel_ml.surfaces.cli.main", "sandbox", "serve", *options]
    keep = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=keep
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while "_sandbox/advance" not in lines[-1]:
            assert lines[-1], "".join(lines)
            lines.append(process.stdout.readline())
        yield ByHand(process, "".join(lines))
    finally:
        process.kill()
        process.wait(timeout=20)


def test_a_world_is_served_by_hand_and_goes_on_where_it_ended(
    world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--world", world, "--journal", str(tmp_path / "tea.jsonl")]
    with served(*options, "--start", "2026-11-01", "--days", "2") as first:
        assert "1 account, 1 ad" in first.said
        (adset,) = first.told("v26.0/act_7/adsets", **READ)["data"]
        asked = first.told("v26.0/act_7/insights", **READ, fields="spend", date_preset="last_7d")
        assert int(asked["data"][0]["spend"]) > 9000
        form = {**WRITE, "name": "新しい ☕"}
        text = "&".join(f"{name}={value}" for name, value in form.items())
        headers = {"content-type": "application/x-www-form-urlencoded"}
        httpx.post(
            f"{first.url}/v26.0/{adset['id']}", content=text, headers=headers, trust_env=False
        ).raise_for_status()
        httpx.post(f"{first.url}/v26.0/{adset['id']}", data={**READ, "name": "x"}, trust_env=False)
        clock = first.told("_sandbox/clock")
        assert clock["now"] == "2026-11-03T00:00:00+00:00"
        assert run(["sandbox", "writes", "--url", first.url, "--object", adset["id"]]) == 0
        told = capsys.readouterr().out
        assert "新しい ☕" in told
        assert [("write" in one, "yes" in one) for one in told.splitlines() if "POST" in one] == [
            (True, True),
            (False, False),
        ]
        assert run(["sandbox", "writes", "--url", first.url, "--not-made", "--json"]) == 0
        assert [one["n"] for one in json.loads(capsys.readouterr().out)] == [2]
        assert run(["sandbox", "writes", "--url", first.url, "--after", "2"]) == 0
        assert capsys.readouterr().out == "No such write was received.\n"
        assert run(["sandbox", "writes", "--url", first.url, "--since", "today"]) == 2
        assert "since: must be a moment" in capsys.readouterr().err
        assert first.end(signal.SIGTERM) == (0, "The sandbox has ended.\n")
    assert run(["sandbox", "clock", "--url", first.url]) == 1
    assert "intel-ml sandbox serve" in capsys.readouterr().err
    with served(*options) as again:
        assert again.told("_sandbox/clock") == clock
        answer = again.told(f"v26.0/{adset['id']}", **READ, fields="name")
        assert answer["name"] == "新しい ☕"
        assert again.end(signal.SIGINT) == (0, "The sandbox has ended.\n")
