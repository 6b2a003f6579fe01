"""A Graph API that remembers every write and can be told to misbehave.

The oracle of what was changed.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Graph:
    """Entities by id, the journal of writes, and the faults that wait for the next writes."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.writes: list[tuple[str, dict[str, str]]] = []
        self.tokens: list[str] = []
        self.faults: deque[str] = deque()
        self.before_write: Callable[[], None] | None = None
        self.reached: Callable[[str], None] = lambda _: None
        self.lock = threading.Lock()
        self.url = ""

    def get(self, entity_id: str) -> tuple[int, str]:
        self.reached("read back" if self.writes else "looked")
        found = self.entities.get(entity_id)
        if found is None:
            return 400, error(100, 33, "does not exist")
        return 200, json.dumps(found)

    def post(  # noqa: C901, PLR0911  # one line a fault
        self, entity_id: str, changes: dict[str, str]
    ) -> tuple[int, str] | None:
        """Return the answer; None closes the connection without one."""
        with self.lock:
            fault = self.faults.popleft() if self.faults else ""
            if self.before_write is not None:
                self.before_write()
            if fault == "throttle":
                return 400, error(613, 1487742, "too many calls")
            if fault == "token":
                return 400, error(190, 463, "Session has expired")
            if fault == "refuse":
                return 400, error(100, 1885272, "budget too low")
            if fault == "drop_before_write":
                return None
            if fault == "html_before_write":
                return 504, "<html>Gateway Timeout</html>"
            self.reached("sent")
            self.writes.append((entity_id, dict(changes)))
            self.entities[entity_id] |= changes
            if "status" in changes:
                self.entities[entity_id]["effective_status"] = changes["status"]
            self.reached("applied")
            if fault == "drop_after_write":
                return None
            if fault == "html_after_write":
                return 504, "<html>Gateway Timeout</html>"
            if fault == "someone_else":
                self.entities[entity_id]["daily_budget"] = "777"
                return 504, "<html>Gateway Timeout</html>"
            return 200, '{"success": true}'


def error(code: int, subcode: int, message: str) -> str:
    body = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    return json.dumps({"error": body})


@contextmanager
def serving() -> Iterator[Graph]:
    graph = Graph()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(graph.get(self.entity()))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            fields = dict(parse_qsl(self.rfile.read(length).decode()))
            graph.tokens.append(dict(parse_qsl(urlsplit(self.path).query)).get("access_token", ""))
            self.answer(graph.post(self.entity(), fields))

        def entity(self) -> str:
            return urlsplit(self.path).path.rsplit("/", 1)[-1]

        def answer(self, told: tuple[int, str] | None) -> None:
            if told is None:
                self.close_connection = True
                self.connection.close()
                return
            status, body = told
            raw = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    graph.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield graph
    server.shutdown()
    server.server_close()
    thread.join()
