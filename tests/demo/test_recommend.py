"""A program asks for a prediction, in the shape it was promised."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from intel_ml.core.actions import ARMS
from intel_ml.data.store.tables import AdAccount, Decision, EntityRow
from tests.demo.running import Demo

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]

_ANSWER = {
    "decision_id",
    "mode",
    "shown",
    "as_of",
    "rules",
    "policy",
    "agreement",
    "warnings",
}


@pytest.fixture(scope="module")
def questions(demo: Demo) -> list[dict[str, str]]:
    """Ask about every ad set."""
    with demo.store.session() as session:
        rows = session.scalars(
            select(EntityRow)
            .join(AdAccount, AdAccount.ad_account_id == EntityRow.ad_account_id)
            .where(EntityRow.entity_type == "adset", AdAccount.source == "api")
        )
        return [
            {"account_id": r.ad_account_id, "entity_type": "adset", "entity_id": r.entity_id}
            for r in rows
        ]


@pytest.fixture(scope="module")
def answers(demo: Demo, questions: list[dict[str, str]]) -> list[dict[str, Any]]:
    answer = demo.ask("POST", "/recommend_batch", json={"requests": questions})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["answers"])


def test_one_question_is_answered_in_the_promised_shape(
    demo: Demo, questions: list[dict[str, str]]
) -> None:
    answer = demo.ask("POST", "/recommend", json=questions[0])
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) >= _ANSWER


def test_every_ad_set_of_the_demo_is_answered(answers: list[dict[str, Any]]) -> None:
    assert len(answers) >= 40
    for one in answers:
        assert set(one) >= _ANSWER
        assert one["mode"] == "shadow"
        assert one["shown"] == "rules"


def test_a_rule_that_fired_shows_what_it_saw_and_where_its_line_is(
    answers: list[dict[str, Any]],
) -> None:
    fired = [one["rules"] for one in answers if one["rules"] is not None]
    assert fired
    for rules in fired:
        assert rules["action"]["type"]
        assert set(rules["rule"]) >= {"id", "version", "name"}
        assert rules["reasons"]
        for reason in rules["reasons"]:
            assert set(reason) >= {"text", "field", "observed", "operator", "threshold"}


def test_a_policy_gives_its_probabilities_and_its_absence_a_warning(
    answers: list[dict[str, Any]],
) -> None:
    for one in answers:
        if one["policy"] is None:
            assert one["warnings"]
            assert one["agreement"] is None
            continue
        assert set(one["policy"]["pmf"]) == {arm.value for arm in ARMS}
        assert sum(one["policy"]["pmf"].values()) == pytest.approx(1)
        assert {"action", "model", "version", "confidence", "reasons"} <= set(one["policy"])


def test_every_answer_is_logged(demo: Demo, answers: list[dict[str, Any]]) -> None:
    asked = {one["decision_id"] for one in answers}
    deadline = time.monotonic() + 10
    while _logged(demo, asked) < len(asked) and time.monotonic() < deadline:
        time.sleep(0.05)  # an answer is in the database a moment after it was kept
    assert _logged(demo, asked) == len(asked)


def _logged(demo: Demo, asked: set[str]) -> int:
    with demo.store.session() as session:
        wanted = select(Decision.trigger).where(Decision.decision_id.in_(asked))
        return len(session.scalars(wanted).all())


def test_without_a_token_nothing_is_told(demo: Demo, questions: list[dict[str, str]]) -> None:
    url = f"http://127.0.0.1:{demo.settings['INTEL_API_PORT']}"
    for headers in ({}, {"Authorization": "Bearer intel_wrong"}):
        asked = httpx.post(f"{url}/recommend", json=questions[0], headers=headers)
        assert asked.status_code == 401
        listed = httpx.get(f"{url}/api/intelligence/actions", headers=headers)
        assert listed.status_code == 401
