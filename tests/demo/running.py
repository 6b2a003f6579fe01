"""A short demo in a folder of its own, driven as people and programs drive it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import httpx

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store
from tests.demo.sockets import Watch, descendants
from tests.tracking import free_port

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("intel-ml")
LISTENING = Path(__file__).parent / "listening"
DAYS = 6
_READY = "It stays up until Ctrl-C"
_READY_WITHIN_S = 300
_ENDS_WITHIN_S = 60
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "XDG_RUNTIME_DIR")
_PORTS = ("INTEL_MLFLOW_PORT", "INTEL_API_PORT", "INTEL_UI_PORT", "INTEL_SANDBOX_PORT")


def quiet_shell() -> dict[str, str]:
    """Return what any shell has, and nothing of the tests' own environment."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"XDG_RUNTIME_DIR": gettempdir()} | kept


class Demo:
    """One project folder with the committed notebooks, and the demo that runs in it."""

    def __init__(self, project: Path) -> None:
        self.project = project
        for name in ("notebooks", "pipelines", "models", "serving"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__py*"))
        self.home = project / ".intel" / "demo"
        self.home.mkdir(parents=True)
        self.heard = project / "heard.txt"
        self.heard.touch()
        file = self.home / "settings.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={free_port()}\n" for name in _PORTS))
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: Watch | None = None
        self.watched: list[Watch] = []

    @property
    def environment(self) -> dict[str, str]:
        """Return a shell's environment, with someone who listens."""
        listening = {"PYTHONPATH": str(LISTENING), "INTEL_TEST_HEARD": str(self.heard)}
        return quiet_shell() | listening

    @property
    def settings(self) -> dict[str, str]:
        lines = (self.home / "settings.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def output(self) -> Path:
        return self.project / f"start-{self.starts}.log"

    @property
    def secrets(self) -> dict[str, str]:
        """Everything that must be known to its owner alone."""
        named = ("META_ACCESS_TOKEN", "META_WRITE_TOKEN", "INTEL_SESSION_SECRET")
        return {name: self.settings[name] for name in named} | {"bearer token": self.token}

    @property
    def postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.home / "postgres")

    @cached_property
    def store(self) -> Store:
        return Store(self.postgres.url("intel"))

    @cached_property
    def token(self) -> str:
        return str(self.json("token", "create", "--user", "demo", "--name", "tests")["token"])

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def processes(self) -> dict[int, str]:
        """Return every process of the demo, the database's included, with its start."""
        assert self._process is not None
        found = descendants(self._process.pid)
        pid_file = self.postgres.data / "postmaster.pid"
        if pid_file.exists():
            found |= descendants(int(pid_file.read_text().split()[0]))
        return found

    def start(self) -> None:
        """Start it and wait until it prints its addresses."""
        self.starts += 1
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "up", "--demo", "--days", str(DAYS)],
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watch = Watch(lambda: set(self.processes()))
        self.watched.append(self._watch)
        deadline = time.monotonic() + _READY_WITHIN_S
        while _READY not in self.output.read_text():
            told = self.output.read_text()[-3000:]
            assert self._process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.2)

    def stop(self) -> int:
        """Press Ctrl-C; return the exit code."""
        assert self._process is not None
        if self._watch is not None:
            self._watch.stop()
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=_ENDS_WITHIN_S)

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        try:
            self.stop()
        finally:
            if self._process is not None and self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self.postgres.stop()
            shutil.rmtree(self.postgres.data, ignore_errors=True)
            shutil.rmtree(self.postgres.socket_folder, ignore_errors=True)
            shutil.rmtree(self.project, ignore_errors=True)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command as a person would, in the project's folder."""
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Run one command with `--json`; return what it printed, which must be JSON alone."""
        done = self.cli(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request to the API with a token."""
        url = f"http://127.0.0.1:{self.settings['INTEL_API_PORT']}{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, url, headers=headers, timeout=30, **options)

    def actions(self, status: str) -> list[dict[str, Any]]:
        """Return the actions in one status, as the REST API gives them."""
        answer = self.ask("GET", "/api/intelligence/actions", params={"status": status})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["actions"])

    def action(self, number: int) -> dict[str, Any]:
        """Return one action, as the REST API gives it."""
        return dict(self.ask("GET", f"/api/intelligence/actions/{number}").json())

    def on_platform(self, entity_id: str) -> dict[str, Any]:
        """Return an ad set or ad as the ad platform itself has it."""
        answer = httpx.get(
            f"{self.settings['META_GRAPH_URL']}/v25.0/{entity_id}",
            params={
                "fields": "id,status,daily_budget",
                "access_token": self.settings["META_ACCESS_TOKEN"],
            },
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def writes(self) -> list[dict[str, Any]]:
        """Return every write the ad platform ever received."""
        return list(httpx.get(f"{self.settings['META_GRAPH_URL']}/_sandbox/writes").json()["data"])
