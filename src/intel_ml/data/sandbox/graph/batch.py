"""Batches: up to 50 requests in one, answered in their order.

    an item whose `depends_on` failed, or was null  -> null, and it is not executed
    a good answer that another item depends on      -> null, unless `omit_response_on_success` is
                                                       false
    `{result=NAME:$.path}` in a URL or body         -> the value in NAME's answer, and a dependency

Graph API, "Batch requests". Updates of two ad sets of one campaign are refused, both of them.

Reads   the `batch` parameter, and a way to answer one request.
Gives   a list of answers, or the error for the batch as a whole.
Never   lets the error of one item touch another that doesn't depend on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.json_text import dumps, loads
from intel_ml.data.sandbox.graph.requests import Answer, Question, without_version
from intel_ml.data.sandbox.population import Population

MOST_ITEMS = 50
_BAD_REQUEST = 400
_PARAMETERS = frozenset({"batch", "include_headers", "access_token", "appsecret_proof", "method"})
_ITEM_KEYS = frozenset(
    {
        "method",
        "relative_url",
        "body",
        "name",
        "depends_on",
        "omit_response_on_success",
        "headers",
        "attached_files",
        "access_token",
    }
)
_RESULT = re.compile(r"\{result=([\w-]+):\$((?:\.[\w*-]+)+)\}")
SIBLINGS = "Batch requests cannot include multiple Adsets under the same Campaign"


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch, its references not yet filled in."""

    method: str
    url: str
    body: str
    name: str | None
    needs: tuple[str, ...]
    is_omitted: bool

    def question(self, outer: Question, seen: Mapping[str, Any]) -> Question:
        """Return the request with the results of others filled in."""
        url_text, body = (_filled(text, seen) for text in (self.url, self.body))
        try:
            url = urlsplit(url_text.lstrip("/"))
        except ValueError as error:
            raise bad_parameter("relative_url is not a path") from error
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        params.update(parse_qsl(body, keep_blank_values=True))
        params.setdefault("access_token", outer.params.get("access_token", ""))
        return Question(self.method, without_version(url.path)[1], params, outer.base, outer.fault)


def items_of(outer: Question) -> list[Item]:
    """Return the items of a batch, or raise what is wrong with it as a whole."""
    for name in outer.params:
        if name not in _PARAMETERS:
            raise bad_parameter(f"Unknown parameter: {name}")
    try:
        raw = loads(outer.params["batch"])
    except ValueError as error:
        raise bad_parameter("batch parameter must be a JSON array") from error
    if not isinstance(raw, list) or not raw:
        raise bad_parameter("batch parameter must be a JSON array")
    if len(raw) > MOST_ITEMS:
        raise bad_parameter(
            f"Too many requests in batch message. Maximum batch size is {MOST_ITEMS}"
        )
    items = [_item(one) for one in raw]
    known: set[str] = set()
    for item in items:
        for need in item.needs:
            if need not in known:
                raise bad_parameter(f"depends_on names '{need}', which no item before it has")
        if item.name is not None:
            known.add(item.name)
    return items


def answers_of(
    items: Sequence[Item],
    outer: Question,
    *,
    population: Population,
    ask: Callable[[Question], Answer | None],
    refuse: Callable[[Question, str], Answer],
) -> list[dict[str, Any] | None]:
    """Return the answers in order; None is what Graph writes as null."""
    with_headers = outer.params.get("include_headers", "true").lower() not in {"false", "0"}
    siblings = siblings_of([item.question(outer, {}) for item in items], population)
    wanted = {need for item in items for need in item.needs}
    seen: dict[str, Any] = {}
    answers: list[dict[str, Any] | None] = []
    for n, item in enumerate(items):
        if any(need not in seen for need in item.needs):
            answers.append(None)
            continue
        question = item.question(outer, seen)
        answer = refuse(question, SIBLINGS) if n in siblings else ask(question)
        if answer is None:
            answers.append(None)
            continue
        is_good = answer.status < _BAD_REQUEST
        if is_good and item.name is not None:
            seen[item.name] = answer.body
        omits = is_good and item.is_omitted and item.name in wanted
        answers.append(None if omits else _shown(answer, with_headers=with_headers))
    return answers


def siblings_of(questions: Sequence[Question], population: Population) -> frozenset[int]:
    """Return the places of ad-set updates that share a campaign with another in the batch."""
    by_campaign: dict[int, list[int]] = {}
    for n, one in enumerate(questions):
        node = population.find(one.path) if one.writes else None
        if node is not None and node.level is EntityType.ADSET:
            by_campaign.setdefault(node.parent, []).append(n)
    return frozenset(n for places in by_campaign.values() if len(places) > 1 for n in places)


def _item(raw: object) -> Item:
    if not isinstance(raw, dict) or "method" not in raw or "relative_url" not in raw:
        raise bad_parameter("each item of batch needs method and relative_url")
    for key in raw:
        if key not in _ITEM_KEYS:
            raise bad_parameter(f"Unknown key in an item of batch: {key}")
    url, body = str(raw["relative_url"]), str(raw.get("body") or "")
    depends = raw.get("depends_on") or ()
    needs = [depends] if isinstance(depends, str) else list(depends)
    needs += [found[0] for text in (url, body) for found in _RESULT.findall(text)]
    return Item(
        method=str(raw["method"]).upper(),
        url=url,
        body=body,
        name=None if raw.get("name") is None else str(raw["name"]),
        needs=tuple(str(need) for need in needs),
        is_omitted=raw.get("omit_response_on_success") is not False,
    )


def _filled(text: str, seen: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        name, path = found[1], found[2]
        return _at(seen.get(name), path.lstrip(".").split("."))

    return _RESULT.sub(value, text)


def _at(value: Any, path: Sequence[str]) -> str:
    """Return what a JSONPath of names and `*` leads to; several are joined by commas."""
    found = [value]
    for key in path:
        if key == "*":
            found = [inner for one in found if isinstance(one, list) for inner in one]
        else:
            found = [one[key] for one in found if isinstance(one, dict) and key in one]
    return ",".join(one if isinstance(one, str) else json.dumps(one) for one in found)


def _shown(answer: Answer, *, with_headers: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"code": answer.status}
    if with_headers:
        item["headers"] = [{"name": name, "value": value} for name, value in answer.headers.items()]
    item["body"] = dumps(answer.body).decode() if answer.text is None else answer.text
    return item
