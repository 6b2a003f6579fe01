"""A local HTTP server that answers like Graph, or like anything but: it sends what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "EAATESTTOKENthatnobodymaysee0123456789"  # noqa: S105  # opens nothing


@dataclass
class Reply:
    """One answer; a body that is not a string is sent as JSON."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


@dataclass
class Graph:
    """`answer(path, params)` says what a GET gives; `whole` replaces the next outer answers."""

    answer: Callable[[str, dict[str, str]], Reply | None]
    whole: list[Reply | None] = field(default_factory=list)
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def reply(self, method: str, target: str, body: str) -> Reply:
        parts = urlsplit(target)
        query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(body))
        self.requests.append({"method": method, "path": parts.path, "query": query, "form": form})
        if self.whole:
            said = self.whole.pop(0)
            if said is not None:
                return said
        if "batch" not in form:
            return self._one(parts.path, query) or Reply({"data": []})
        items = []
        for call in json.loads(form["batch"]):
            inner = urlsplit(call["relative_url"])
            said = self._one("/" + inner.path, dict(parse_qsl(inner.query)))
            headers = [{"name": k, "value": v} for k, v in said.headers.items()] if said else []
            items.append(
                {"code": said.status, "headers": headers, "body": said.text} if said else None
            )
        return Reply(items)

    def _one(self, path: str, params: dict[str, str]) -> Reply | None:
        path = path.removeprefix("/v26.0")
        self.asked.append((path, params))
        return self.answer(path, params)


@contextmanager
def serving(graph: Graph) -> Iterator[Graph]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            said = graph.reply(self.command, self.path, self.rfile.read(length).decode())
            body = said.text.encode()
            self.send_response(said.status)
            for name, value in {"content-type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = _any  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    graph.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield graph
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def small_account(
    day: str = "2026-11-20", campaigns: int = 1, adsets: int = 2, ads: int = 2
) -> Callable[..., Reply | None]:
    """Answer for an account of `campaigns` with `adsets` and `ads` each, all delivering alike."""
    names: dict[str, list[dict[str, Any]]] = {"campaigns": [], "adsets": [], "ads": []}
    status = {"status": "ACTIVE", "configured_status": "ACTIVE", "effective_status": "ACTIVE"}
    for c in range(1, campaigns + 1):
        names["campaigns"].append(
            {"id": f"{c}", "name": f"campaign {c}", "objective": "OUTCOME_SALES", **status}
        )
        for s in range(1, adsets + 1):
            adset = f"{c}{s:02}"
            names["adsets"].append(
                {
                    "id": adset,
                    "name": f"ad set {adset}",
                    "campaign_id": f"{c}",
                    "daily_budget": "5000",
                    "learning_stage_info": {
                        "status": "LEARNING",
                        "conversions": 12,
                        "last_sig_edit_ts": 1734947501,
                    },
                    "created_time": "2026-10-01T00:00:00-0300",
                    **status,
                }
            )
            names["ads"].extend(
                {
                    "id": f"{adset}{a:02}",
                    "name": f"ad {a}",
                    "campaign_id": f"{c}",
                    "adset_id": adset,
                    **status,
                }
                for a in range(1, ads + 1)
            )
    edges = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}

    def answer(path: str, params: dict[str, str]) -> Reply | None:
        edge = path.rsplit("/", 1)[-1]
        if edge in names:
            return Reply({"data": names[edge], "paging": {"cursors": {"after": "Z"}}})
        if edge != "insights":
            return Reply({"error": {"message": "Unknown path", "code": 2500}}, status=400)
        window = (
            json.loads(params["time_range"])
            if "time_range" in params
            else {"since": day, "until": day}
        )
        level = params["level"]
        rows = [insights_row(level, one["id"], window["until"]) for one in names[edges[level]]]
        return Reply({"data": rows, "paging": {"cursors": {"after": "Z"}}})

    return answer


def insights_row(level: str, identity: str, day: str, **changed: Any) -> dict[str, Any]:
    """Return a row as Meta writes one; None as a change removes the key."""
    row = {
        f"{level}_id": identity,
        "date_start": day,
        "date_stop": day,
        "impressions": "1850",
        "reach": "1500",
        "clicks": "90",
        "inline_link_clicks": "60",
        "spend": "14.35",
        "actions": [
            {"action_type": "link_click", "value": "60"},
            {"action_type": "omni_purchase", "value": "3"},
            {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "3"},
        ],
        "action_values": [{"action_type": "omni_purchase", "value": "120.50"}],
        **changed,
    }
    return {name: value for name, value in row.items() if value is not None}
