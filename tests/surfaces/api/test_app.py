"""The REST API: who may see and do what, and in which shape everything answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AutomationAction, AutomationRule
from tests.surfaces.api.tenants import OUR_ADSET, OURS, STOP_LOSS, THEIR_ADSET, THEIRS, Tenants

PATHS = [
    ("GET", "/api/intelligence/dashboard"),
    ("GET", "/api/intelligence/pixel/p1/health"),
    ("GET", f"/api/intelligence/account/{OURS}/score"),
    ("GET", f"/api/intelligence/performance/adset/{OUR_ADSET}/trend"),
    ("GET", "/api/intelligence/rules"),
    ("POST", "/api/intelligence/rules"),
    ("PUT", "/api/intelligence/rules/1"),
    ("DELETE", "/api/intelligence/rules/1"),
    ("POST", "/api/intelligence/rules/1/toggle"),
    ("GET", "/api/intelligence/rules/templates"),
    ("GET", "/api/intelligence/actions"),
    ("GET", "/api/intelligence/actions/stats"),
    ("POST", "/api/intelligence/actions/1/approve"),
    ("POST", "/api/intelligence/actions/1/reject"),
    ("POST", "/api/intelligence/actions/1/modify"),
    ("POST", "/api/intelligence/actions/1/undo"),
    ("GET", "/api/notifications"),
    ("POST", "/api/notifications/1/read"),
    ("POST", "/api/notifications/read-all"),
    ("GET", "/api/notifications/count"),
    ("GET", "/api/intelligence/patterns"),
    ("GET", "/api/intelligence/patterns/seasonal"),
    ("POST", "/api/intelligence/patterns/refresh"),
]


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "account_id": OURS,
        "name": "Costly",
        "category": "loss_prevention",
        "conditions": STOP_LOSS,
        "action_type": "decrease_budget",
        "action_params": {"percentage": 20},
        "applies_to": "adset",
    } | changes


def test_without_a_known_token_every_path_is_401(api: httpx.Client) -> None:
    for header in ({}, {"Authorization": "Bearer intel_wrong"}, {"Authorization": "Basic x"}):
        for method, path in PATHS:
            body = {} if method in {"POST", "PUT"} else None
            answer = api.request(method, path, headers=header, json=body)
            assert answer.status_code == 401, path
            assert set(answer.json()["error"]) == {"type", "message", "hint", "path"}
            assert "intel_wrong" not in answer.text


def test_every_path_of_the_plan_is_described(api: httpx.Client) -> None:
    described = api.get("/api/openapi.json").json()
    known = {(m.upper(), p) for p, methods in described["paths"].items() for m in methods}
    for method, path in PATHS:
        shape = (
            path.replace("/p1/", "/{pixel_id}/")
            .replace(f"/adset/{OUR_ADSET}/", "/{entity_type}/{entity_id}/")
            .replace(f"/{OURS}/", "/{account_id}/")
            .replace("/seasonal", "/{pattern_type}")
        )
        for kind in ("rule", "action", "notification"):
            shape = shape.replace(f"{kind}s/1", f"{kind}s/{{{kind}_id}}")
        assert (method, shape) in known
    assert described["components"]["securitySchemes"]


def test_an_unknown_path_and_a_wrong_method_answer_in_our_shape(api: httpx.Client) -> None:
    assert api.get("/api/nothing").json()["error"]["type"] == "not_found"
    answer = api.post("/api/intelligence/dashboard")
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "method")


def test_a_tenant_sees_nothing_of_another(api: httpx.Client, tenants: Tenants) -> None:
    ours = tenants.auth("admin")
    everything = [
        ("GET", f"/api/intelligence/dashboard?account_id={THEIRS}", None),
        ("GET", f"/api/intelligence/account/{THEIRS}/score", None),
        ("GET", f"/api/intelligence/performance/adset/{THEIR_ADSET}/trend", None),
        ("GET", f"/api/intelligence/rules?account_id={THEIRS}", None),
        ("GET", f"/api/intelligence/rules/templates?account_id={THEIRS}", None),
        ("POST", "/api/intelligence/rules", rule(account_id=THEIRS)),
        ("PUT", f"/api/intelligence/rules/{tenants.their_rule}", rule()),
        ("DELETE", f"/api/intelligence/rules/{tenants.their_rule}", None),
        ("POST", f"/api/intelligence/rules/{tenants.their_rule}/toggle", {"active": False}),
        ("GET", f"/api/intelligence/actions?account_id={THEIRS}", None),
        ("GET", f"/api/intelligence/actions/stats?account_id={THEIRS}", None),
        ("GET", f"/api/intelligence/actions/{tenants.their_action}", None),
        ("POST", f"/api/intelligence/actions/{tenants.their_action}/approve", None),
        ("POST", f"/api/intelligence/actions/{tenants.their_action}/reject", {"reason": "no"}),
        ("POST", f"/api/intelligence/actions/{tenants.their_action}/modify",
         {"action": {"type": "pause"}, "reason": "no"}),
        ("POST", f"/api/intelligence/actions/{tenants.their_action}/undo", None),
        ("GET", f"/api/intelligence/patterns?account_id={THEIRS}", None),
        ("POST", f"/api/intelligence/patterns/refresh?account_id={THEIRS}", None),
        ("POST", f"/api/notifications/{tenants.their_notification}/read", None),
    ]  # fmt: skip
    for method, path, body in everything:
        answer = api.request(method, path, headers=ours, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    for path, key in (("rules", "rules"), ("actions", "actions")):
        listed = api.get(f"/api/intelligence/{path}", headers=ours).json()[key]
        assert {one["account_id"] for one in listed} == {OURS}
    notes = api.get("/api/notifications", headers=ours).json()["notifications"]
    assert [note["id"] for note in notes] == [tenants.our_notification]


def test_each_right_needs_its_role(api: httpx.Client, tenants: Tenants) -> None:
    action = f"/api/intelligence/actions/{tenants.our_action}"
    changes = [
        ("viewer", "POST", f"{action}/approve", None),
        ("viewer", "POST", f"{action}/reject", {"reason": "no"}),
        ("viewer", "POST", f"{action}/undo", None),
        ("approver", "POST", "/api/intelligence/rules", rule()),
        ("approver", "PUT", f"/api/intelligence/rules/{tenants.our_rule}", rule()),
        ("approver", "DELETE", f"/api/intelligence/rules/{tenants.our_rule}", None),
        (
            "approver",
            "POST",
            f"/api/intelligence/rules/{tenants.our_rule}/toggle",
            {"active": False},
        ),
        ("approver", "POST", f"/api/intelligence/patterns/refresh?account_id={OURS}", None),
    ]
    for who, method, path, body in changes:
        answer = api.request(method, path, headers=tenants.auth(who), json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "not_allowed"), path


def test_the_first_decision_wins_and_the_second_is_told_who_and_when(
    api: httpx.Client, tenants: Tenants, store: Store
) -> None:
    path = f"/api/intelligence/actions/{tenants.our_action}"
    first = api.post(f"{path}/approve", headers=tenants.auth("approver"))
    assert (first.status_code, first.json()["status"]) == (200, "approved")
    assert first.json()["says"].startswith("Approved. It waits: changes were never switched on")
    second = api.post(f"{path}/reject", headers=tenants.auth("admin"), json={"reason": "too early"})
    assert second.status_code == 409
    assert "approver" in second.json()["error"]["message"]
    assert "just now" in second.json()["error"]["message"]
    with store.session() as session:
        row = session.get_one(AutomationAction, (OURS, tenants.our_action))
        assert (row.status, row.human_decision) == ("approved", "approved")


def test_a_rejection_keeps_its_reason(api: httpx.Client, tenants: Tenants) -> None:
    path = f"/api/intelligence/actions/{tenants.our_action}/reject"
    assert (
        api.post(path, headers=tenants.auth("approver"), json={"reason": "  "}).status_code == 422
    )
    answer = api.post(path, headers=tenants.auth("approver"), json={"reason": "promotion running"})
    assert answer.json()["status"] == "rejected"
    assert answer.json()["rejection_reason"] == "promotion running"


def test_a_modification_is_held_to_the_limits(api: httpx.Client, tenants: Tenants) -> None:
    path = f"/api/intelligence/actions/{tenants.our_action}/modify"
    body = {"action": {"type": "decrease_budget", "percent": -90}, "reason": "less"}
    refused = api.post(path, headers=tenants.auth("approver"), json=body)
    assert (refused.status_code, refused.json()["error"]["path"]) == (422, "action.percent")
    body["action"] = {"type": "decrease_budget", "percent": -20}
    done = api.post(path, headers=tenants.auth("approver"), json=body).json()
    assert (done["status"], done["value_after"]["daily_budget_minor"]) == ("approved", 40_00)
    assert done["human_decision"] == "modified"


def test_what_was_not_executed_cannot_be_undone(api: httpx.Client, tenants: Tenants) -> None:
    path = f"/api/intelligence/actions/{tenants.our_action}/undo"
    assert api.post(path, headers=tenants.auth("approver")).status_code == 409


def test_actions_are_listed_and_counted_by_status(api: httpx.Client, tenants: Tenants) -> None:
    auth = tenants.auth("viewer")
    pending = api.get("/api/intelligence/actions?status=pending_approval", headers=auth).json()
    assert [one["id"] for one in pending["actions"]] == [tenants.our_action]
    assert pending["actions"][0]["stake"] == {"minor": 5000, "currency": "USD", "text": "50.00 USD"}
    assert (
        api.get("/api/intelligence/actions?status=executed", headers=auth).json()["actions"] == []
    )
    assert api.get("/api/intelligence/actions?status=done", headers=auth).status_code == 422
    assert api.get("/api/intelligence/actions?days=0", headers=auth).status_code == 422
    stats = api.get("/api/intelligence/actions/stats", headers=auth).json()
    assert (stats["triggered"], stats["executed"]) == (1, 0)
    assert stats["savings"][0]["amount"] is None
    assert stats["savings"][0]["note"]


def test_a_rule_is_created_edited_switched_and_deleted(
    api: httpx.Client, tenants: Tenants, store: Store
) -> None:
    auth, rules = tenants.auth("operator"), "/api/intelligence/rules"
    made = api.post(rules, headers=auth, json=rule())
    assert (made.status_code, made.json()["version"]) == (201, 1)
    one = f"{rules}/{made.json()['id']}"
    assert api.post(rules, headers=auth, json=rule()).status_code == 409
    edited = api.put(one, headers=auth, json=rule(priority=5, version=1)).json()
    assert (edited["version"], edited["priority"]) == (2, 5)
    assert api.put(one, headers=auth, json=rule(version=1)).status_code == 409
    off = api.post(f"{one}/toggle", headers=auth, json={"active": False}).json()
    assert (off["is_active"], off["version"]) == (False, 2)
    assert api.delete(one, headers=auth).json() == {"id": made.json()["id"], "deleted": True}
    assert api.delete(one, headers=auth).status_code == 404
    with store.session() as session:
        assert session.get_one(AutomationRule, (OURS, made.json()["id"])).deleted_at is not None


@pytest.mark.parametrize(
    ("changes", "path", "hint"),
    [
        ({"conditions": {"operator": "OR", "rules": [{"field": "spnd"}]}},
         "conditions.rules[0].field", "spend"),
        ({"action_type": "paus"}, "action_type", "pause"),
        ({"category": "scalng"}, "category", "scaling"),
        ({"applies_to": "adsets"}, "applies_to", "adset"),
        ({"conditons": {}}, "conditons", "conditions"),
        ({"action_params": {"percentage": 20, "__class__": 1}}, "action_params.__class__", ""),
        ({"conditions": {"field": "'; drop table intel_user", "operator": ">", "value": 1}},
         "conditions.field", ""),
        ({"name": "  "}, "name", ""),
        ({"priority": "high"}, "priority", ""),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_422_with_the_path_and_a_suggestion(
    api: httpx.Client, tenants: Tenants, changes: dict[str, Any], path: str, hint: str
) -> None:
    answer = api.post(
        "/api/intelligence/rules", headers=tenants.auth("operator"), json=rule(**changes)
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["path"] == path
    assert hint in answer.json()["error"]["hint"]


def test_a_rule_with_nan_or_endless_nesting_is_refused(api: httpx.Client, tenants: Tenants) -> None:
    auth = tenants.auth("operator") | {"content-type": "application/json"}
    for body in (b'{"conditions": {"value": NaN}}', b'{"conditions":' * 10_000):
        answer = api.post("/api/intelligence/rules", headers=auth, content=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["path"]


def test_templates_are_rules_that_can_be_created(api: httpx.Client, tenants: Tenants) -> None:
    auth = tenants.auth("operator")
    listed = api.get("/api/intelligence/rules/templates", headers=auth).json()
    assert len(listed["templates"]) >= 5
    for number, template in enumerate(listed["templates"]):
        body = template | {"account_id": listed["account_id"], "name": f"mine {number}"}
        assert api.post("/api/intelligence/rules", headers=auth, json=body).status_code == 201


def test_notifications_are_read_once(api: httpx.Client, tenants: Tenants) -> None:
    auth = tenants.auth("admin")
    assert api.get("/api/notifications/count", headers=auth).json() == {"unread": 1}
    read = api.post(f"/api/notifications/{tenants.our_notification}/read", headers=auth).json()
    assert read["is_read"] is True
    assert api.get("/api/notifications?unread=true", headers=auth).json() == {"notifications": []}
    assert api.post("/api/notifications/read-all", headers=auth).json() == {"marked": 0}


def test_what_is_not_there_yet_is_404_with_a_sentence(api: httpx.Client, tenants: Tenants) -> None:
    auth = tenants.auth("viewer")
    for path in (f"account/{OURS}/score", "pixel/p1/health", "performance/ad/9/trend"):
        answer = api.get(f"/api/intelligence/{path}", headers=auth)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"]


def test_a_trend_takes_7_14_or_30_days(api: httpx.Client, tenants: Tenants) -> None:
    path = f"/api/intelligence/performance/adset/{OUR_ADSET}/trend"
    auth = tenants.auth("viewer")
    assert api.get(f"{path}?days=14", headers=auth).json()["days"] == 14
    assert api.get(f"{path}?days=8", headers=auth).status_code == 422
    assert api.get(f"{path}?days=x", headers=auth).status_code == 422


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_garbage_never_makes_it_fail_on_our_side(
    api: httpx.Client, tenants: Tenants, data: st.DataObject
) -> None:
    # A refresh goes on after its answer: it has a test of its own.
    method, path = data.draw(st.sampled_from([one for one in PATHS if "refresh" not in one[1]]))
    word = st.text(max_size=8) | st.sampled_from(
        ["AND", ">", "spend", "pause", OURS, "adset", "x\x00"]
    )
    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | word,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(word, inner, max_size=3),
        max_leaves=8,
    )
    body = data.draw(value | st.fixed_dictionaries({}, optional=dict.fromkeys(rule(), value)))
    query = {
        k: data.draw(word)
        for k in data.draw(
            st.lists(
                st.sampled_from(["days", "limit", "status", "account_id", "unread"]), max_size=2
            )
        )
    }
    answer = api.request(
        method,
        path,
        params=query,
        headers=tenants.auth("admin") | {"content-type": "application/json"},
        content=json.dumps(body).encode("utf-8", "replace") if method in {"POST", "PUT"} else None,
    )
    assert answer.status_code < 500, answer.text


def test_learning_again_is_a_job_that_can_be_asked_about(
    api: httpx.Client, tenants: Tenants
) -> None:
    auth = tenants.auth("operator")
    job = api.post(f"/api/intelligence/patterns/refresh?account_id={OURS}", headers=auth)
    assert job.status_code == 202
    path = f"/api/intelligence/patterns/jobs/{job.json()['id']}"
    status = wait_until_done(lambda: api.get(path, headers=auth).json()["status"])
    assert status == "done"
    assert api.get(path, headers=tenants.auth("stranger")).status_code == 404


def test_the_dashboard_shows_what_waits_and_says_what_is_not_known(
    api: httpx.Client, tenants: Tenants
) -> None:
    page = api.get("/api/intelligence/dashboard", headers=tenants.auth("admin")).json()
    (account,) = page["accounts"]
    assert account["account"]["id"] == OURS
    assert (account["pending_actions"], account["active_rules"]) == (1, 1)
    assert account["score"] is None
    assert account["savings_this_month"]["amount"] is None
    assert account["recommendations"][0]["headline"] == "Pause ad set Summer Sale"
    assert len(account["performance_trend"]["days_7"]) == 7
    assert account["performance_trend"]["days_7"][0]["spend"] is None
    assert [alert["id"] for alert in page["alerts"]] == [tenants.our_notification]


def wait_until_done(status: Callable[[], str]) -> str:
    deadline = time.monotonic() + 30
    while (now := status()) == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    return now
