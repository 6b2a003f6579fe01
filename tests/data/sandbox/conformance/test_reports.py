"""Asynchronous insights, pages, the change log and copies, gone through with the official SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.exceptions import FacebookRequestError

from tests.data.sandbox.conformance.conftest import Sandbox
from tests.data.sandbox.conformance.shapes import misfit

MOST_POLLS, MISSING = 12, 33
PARAMS = {"level": "ad", "date_preset": "last_7d", "time_increment": 1}
FIELDS = ["ad_id", "spend", "impressions", "actions"]
RUN = {
    "id": "<id>",
    "account_id": "7",
    "time_ref": "<int>",
    "time_completed?": "<int>",
    "async_status": "<text>",
    "async_percent_completion": "<int>",
    "date_start?": "<day>",
    "date_stop?": "<day>",
}


def polled(run: AdReportRun) -> list[dict[str, Any]]:
    """Return every look at a run until it ended; a fresh one may not be there yet."""
    seen: list[dict[str, Any]] = []
    for _ in range(MOST_POLLS):
        try:
            seen.append(AdReportRun(run["id"], api=run._api).api_get().export_all_data())
        except FacebookRequestError as missing:
            if missing.api_error_subcode() != MISSING:
                raise
            continue
        if seen[-1]["async_status"] in {"Job Completed", "Job Failed", "Job Skipped"}:
            return seen
    pytest.fail("the report never ended")


def test_a_report_holds_what_the_same_question_answers_at_once(sandbox: Sandbox) -> None:
    account = sandbox.object("account/7")
    run = account.get_insights_async(fields=FIELDS, params=dict(PARAMS))
    last = polled(run)[-1]
    assert (last["async_status"], last["async_percent_completion"]) == ("Job Completed", 100)
    rows = [row.export_all_data() for row in run.get_result(params={"limit": 7})]
    at_once = [row.export_all_data() for row in account.get_insights(FIELDS, dict(PARAMS))]
    assert rows == at_once
    assert len(rows) > 20
    assert sandbox.control.platform.writes == []


def test_a_run_tells_its_state_in_metas_words(sandbox: Sandbox) -> None:
    run = sandbox.object("account/7").get_insights_async(fields=FIELDS, params=dict(PARAMS))
    for look in polled(run):
        assert misfit(look, RUN) is None


@pytest.mark.filterwarnings("ignore::UserWarning:facebook_business")
def test_a_report_on_nonsense_is_refused_when_it_is_ordered(sandbox: Sandbox) -> None:
    with pytest.raises(FacebookRequestError) as refused:
        sandbox.object("account/7").get_insights_async(params={"date_preset": "last_1d"})
    assert refused.value.api_error_code() == 100


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_cursors_go_through_everything_once_whatever_the_page(sandbox: Sandbox, limit: int) -> None:
    account = sandbox.object("account/7")
    found = [one["id"] for one in account.get_ads(params={"limit": limit})]
    everything = [one.id for one in sandbox.world.population.ads if one.account == 0]
    archived = sandbox.id_of("ad/Old A")
    assert len(found) == len(set(found))
    assert set(everything) - set(found) <= {archived}


def test_the_total_of_a_list_is_in_its_summary(sandbox: Sandbox) -> None:
    cursor = sandbox.object("account/7").get_campaigns(
        params={"summary": "total_count", "limit": 1}
    )
    next(iter(cursor))
    assert cursor.total() == 2


def test_the_change_log_names_what_was_edited(sandbox: Sandbox) -> None:
    account, adset = sandbox.object("account/7"), sandbox.id_of("adset/Own")
    sandbox.object("adset/Own", writes=True).api_update(params={"daily_budget": 22000})
    one = account.get_activities(
        fields=["event_type", "object_id", "extra_data", "event_time", "actor_name"],
        params={"category": "BUDGET"},
    )[0]
    told: dict[str, Any] = one.export_all_data()
    assert (told["event_type"], told["object_id"]) == ("update_ad_set_budget", adset)
    extra = json.loads(told["extra_data"])
    assert {str(extra["old_value"]), str(extra["new_value"])} == {"20000", "22000"}


def test_a_copy_whose_answer_was_lost_is_found_by_reading(sandbox: Sandbox) -> None:
    source = sandbox.object("adset/Own", writes=True)
    sandbox.control.faults.add({"method": "POST", "status_after": 504, "body": "<html>late</html>"})
    with pytest.raises(Exception):  # noqa: B017, PT011  # the SDK breaks on HTML in its own way
        source.create_copy()
    (copy,) = sandbox.object("adset/Own").get_copies(fields=["source_adset_id", "name"])
    assert (copy["source_adset_id"], copy["name"]) == (source["id"], "Own - Copy")
