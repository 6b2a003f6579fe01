"""The notebooks open, connected to this installation."""

from __future__ import annotations

import re
import subprocess
import time

import httpx
import pytest

from tests.demo.running import PROGRAM, Demo

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]

_ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)")
_PATIENCE_S = 60


def test_lab_opens_the_committed_notebooks_on_loopback(demo: Demo) -> None:
    log = demo.project / "lab.log"
    with log.open("w") as output:
        # Whatever the machine's browser is, it is not opened.
        lab = subprocess.Popen(
            [PROGRAM, "lab"],
            cwd=demo.project,
            env=demo.environment | {"BROWSER": "true"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while (found := _ADDRESS.search(log.read_text())) is None:
            assert lab.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        address, token = found.groups()
        page = httpx.get(f"{address}/lab", params={"token": token}, follow_redirects=True)
        listed = httpx.get(f"{address}/api/contents", params={"token": token}).json()["content"]
        refused = httpx.get(f"{address}/api/contents")
    finally:
        lab.terminate()
        lab.wait(timeout=30)
    assert page.status_code == 200
    assert refused.status_code == 403
    names = {one["name"] for one in listed if one["type"] == "notebook"}
    assert names == {path.name for path in (demo.project / "notebooks").glob("*.ipynb")}
