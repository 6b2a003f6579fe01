"""Quotas: points that are used up and come back, and headers that say so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.data.meta.usage import highest_percent, regain_seconds
from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.quota import TIERS, Bucket
from intel_ml.data.sandbox.graph.usage import Kind

READ = "read-token"
DEVELOPMENT = {"tier": "development_access"}


def account_header(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.headers["X-Ad-Account-Usage"])
    return found


@given(
    costs=st.lists(st.tuples(st.sampled_from([1, 3]), st.integers(0, 400)), max_size=60),
    limit=st.integers(5, 60),
    decay=st.integers(10, 600),
)
def test_a_bucket_never_holds_more_than_its_limit_and_empties_in_time(
    costs: list[tuple[int, int]], limit: int, decay: int
) -> None:
    bucket, now = Bucket(), 0
    terms = {"limit": float(limit), "decay_s": decay}
    for cost, pause in costs:
        now += pause
        before = bucket.used(**terms, now_s=now)
        taken = bucket.takes(cost, **terms, now_s=now)
        after = bucket.used(**terms, now_s=now)
        assert after == pytest.approx(before + cost if taken else before)
        assert after <= limit
        assert 0 <= bucket.percent(**terms, now_s=now) <= 100
    assert bucket.used(**terms, now_s=now + decay) == 0


def test_sixty_reads_fill_the_development_tier_and_time_gives_them_back(asker: Any) -> None:
    usage = asker.platform.usage
    usage.configure(DEVELOPMENT)
    answers = [asker.get("act_101") for _ in range(61)]
    assert [one.status for one in answers] == [200] * 60 + [400]
    shares = [account_header(one)["acc_id_util_pct"] for one in answers]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (1.67, 100.0)
    error = answers[-1].body["error"]
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (17, 2446079, True)
    assert account_header(answers[-1])["reset_time_duration"] == 300
    assert asker.get("act_102").status == 200, "another account has points of its own"
    usage.configure({"elapse_s": 299})
    assert asker.get("act_101").status == 400
    usage.configure({"elapse_s": 1})
    assert asker.get("act_101").status == 200
    assert account_header(asker.get("act_101"))["acc_id_util_pct"] < 5


def test_an_hour_of_the_world_gives_everything_back(asker: Any) -> None:
    asker.platform.usage.configure(DEVELOPMENT)
    for _ in range(70):
        asker.get("act_101")
    asker.platform.world.advance(1)
    assert asker.get("act_101").status == 200


def test_a_write_costs_three_reads_and_throttles_with_a_code_of_its_own(asker: Any) -> None:
    asker.platform.usage.configure(DEVELOPMENT)
    adset = asker.platform.world.population.adsets[0].id
    answers = [asker.post(adset, name=f"n{n}") for n in range(21)]
    assert [one.status for one in answers] == [200] * 20 + [400]
    error = answers[-1].body["error"]
    assert (error["code"], error["error_subcode"]) == (613, 1487742)
    assert [one.is_applied for one in asker.platform.writes] == [True] * 20 + [False]
    assert asker.platform.world.population.adsets[0].name == "n19"


@pytest.mark.parametrize(
    ("setting", "path", "code"),
    [
        ("ads_insights", "act_101/insights", 80000),
        ("ads_management", "act_101/adsets", 80004),
        ("app", "act_101/adsets", 4),
    ],
)
def test_each_quota_has_its_code_and_says_how_long_to_wait(
    asker: Any, setting: str, path: str, code: int
) -> None:
    platform = asker.platform
    platform.usage.configure({setting: 1, "score": 10**9})
    kind = Kind("101", is_insights=path.endswith("insights"))

    def use_up() -> None:
        for _ in range(40_000):
            platform.usage.charge(kind, population=platform.world.population, hour=240)

    with pytest.raises(GraphError):
        use_up()
    answer = asker.get(path)
    assert answer.body["error"]["code"] == code
    if code != 4:
        assert regain_seconds(answer.headers) == 300
    assert highest_percent(answer.headers) == 100


def test_mutations_a_second_are_counted_when_asked_to(asker: Any) -> None:
    asker.platform.usage.configure({"mutations_per_second": 2})
    adset = asker.platform.world.population.adsets[0].id
    answers = [asker.post(adset, name=f"n{n}") for n in range(3)]
    assert answers[-1].body["error"]["error_subcode"] == 5044001
    asker.platform.usage.configure({"elapse_s": 1})
    assert asker.post(adset, name="later").status == 200


def test_the_items_of_a_batch_count_one_by_one(asker: Any) -> None:
    items = json.dumps([{"method": "GET", "relative_url": "act_101"}] * 50)
    asker.platform.usage.configure(DEVELOPMENT)
    first = asker.post("", token=READ, batch=items)
    second = asker.post("", token=READ, batch=items)
    codes = [one["code"] for one in (*first.body, *second.body)]
    assert codes == [200] * 60 + [400] * 40
    assert account_header(second)["acc_id_util_pct"] == 100


def test_ordinary_use_is_nowhere_near_a_limit(asker: Any) -> None:
    for _ in range(200):
        answer = asker.get("act_101/adsets", fields="id", limit="1")
    assert answer.status == 200
    assert highest_percent(answer.headers) < 3


def test_headers_are_about_the_account_asked_and_absent_without_one(asker: Any) -> None:
    assert set(asker.get("me").headers) == {"X-App-Usage"}
    adset = asker.platform.world.population.adsets[0].id
    plain, numbers = asker.get(adset), asker.get(f"{adset}/insights")
    assert list(json.loads(plain.headers["X-Business-Use-Case-Usage"])) == ["101"]
    assert "X-FB-Ads-Insights-Throttle" not in plain.headers
    assert "X-FB-Ads-Insights-Throttle" in numbers.headers
    cases = json.loads(numbers.headers["X-Business-Use-Case-Usage"])["101"]
    assert [one["type"] for one in cases] == ["ads_management", "ads_insights"]
    assert {one["ads_api_access_tier"] for one in cases} == {"standard_access"}


def test_quotas_are_set_over_http(served: Any) -> None:
    def post(**body: object) -> requests.Response:
        return requests.post(f"{served.url}/_sandbox/quota", json=body, timeout=5)

    assert post(tier="development_access").json()["score"] == 60
    assert post(score=2).json()["tier"] == "development_access"
    url = f"{served.url}/v26.0/act_101"
    codes = [
        requests.get(url, params={"access_token": READ}, timeout=5).status_code for _ in range(3)
    ]
    assert codes == [200, 200, 400]
    told = requests.get(f"{served.url}/_sandbox/quota", timeout=5).json()
    assert told["used_percent"] == {"101": 100.0}
    assert post(elapse_s=300).json()["used_percent"] == {"101": 0.0}
    for wrong in ({"tier": "gold"}, {"score": 0}, {"score": 1.5}, {"elapse_s": -1}, {"points": 3}):
        assert post(**wrong).status_code == 400


def test_limits_refuse_what_they_do_not_know() -> None:
    limits = TIERS["standard_access"]
    with pytest.raises(UnknownNameError, match="block_s"):
        limits.changed({"blocks": 3})
    with pytest.raises(InvalidValueError, match="app"):
        limits.changed({"app": True})
    assert limits.changed({"app": 7, "tier": "development_access"}).score == 60
