"""Marks that can be held to without a clock: what a command loads, what the text may contain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_help_loads_nothing_heavy():
    program = (
        "import sys\n"
        "from intel_ml.surfaces.cli.main import run\n"
        "code = run(['--help'])\n"
        "heavy = ['pandas', 'numpy', 'sqlalchemy', 'mlflow', 'gradio', 'bentoml', 'sklearn']\n"
        "sys.stderr.write(repr((code, [n for n in heavy if n in sys.modules])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "(0, [])"
    assert "up" in done.stdout


def test_no_file_names_a_path_of_a_machine_or_leaves_work_open():
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "src",
            "serving",
            "pipelines",
            "notebooks",
            "docs",
            "models",
            "README.md",
            "Makefile",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    if not listed:
        pytest.skip("not a git checkout: what is tracked cannot be listed")
    open_work = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    machine = re.compile(r"/(?:work|root|home)/[A-Za-z0-9_.]")
    found = [
        f"{name}: {match.group(0)}"
        for name in listed
        if (path := ROOT / name).is_file() and path.suffix != ".png"
        for pattern in (open_work, machine)
        if (match := pattern.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []
