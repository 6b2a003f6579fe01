"""People outside: budgets, pauses, names and campaigns, in the log under their own name."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import HUMAN_ACTOR, Change
from intel_ml.data.sandbox.colleagues import edit_from_outside
from intel_ml.data.sandbox.ledger import Column

START = datetime(2026, 10, 19, tzinfo=UTC)
BUSY = """
[outside]
per_adset_hour = 0.03
per_campaign_hour = 0.03
pause_per_adset_hour = 0.02
rename_per_adset_hour = 0.02
pause_hours = [3, 9]
"""


@pytest.fixture
def busy_file(small_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "busy.toml"
    path.write_text(small_file.read_text(encoding="utf-8") + BUSY, encoding="utf-8")
    return path


def test_people_do_everything_people_do_and_the_log_says_who(busy_file: Path) -> None:
    world = World.load(busy_file, start=START)
    world.advance(24 * 20)
    done = Counter(one.event_type for one in world.activities)
    assert {one.actor for one in world.activities} == {HUMAN_ACTOR}
    assert set(done) == {
        "update_ad_set_budget",
        "update_campaign_budget",
        "update_ad_set_run_status",
        "update_ad_set_name",
    }
    paused = [one for one in world.activities if one.after == "PAUSED"]
    resumed = [one for one in world.activities if one.after == "ACTIVE"]
    assert len(paused) - len(resumed) in (0, 1, 2)
    assert len(resumed) > 3


def test_people_work_in_the_hours_of_the_working_day(busy_file: Path) -> None:
    world = World.load(busy_file, start=START)
    world.advance(24 * 10)
    made = [one for one in world.activities if one.after != "ACTIVE"]
    assert made
    # New York is 4 hours behind in October; an edit is seen at the end of its hour.
    assert {(one.moment.hour - 4) % 24 for one in made} <= set(range(10, 19))


def test_an_ad_set_that_a_colleague_paused_stands_still_until_it_is_resumed(
    busy_file: Path,
) -> None:
    world = World.load(busy_file, start=START)
    world.advance(24 * 10)
    node = world.population.find(
        next(one.object_id for one in world.activities if one.after == "PAUSED")
    )
    assert node is not None
    row = world.population.rows[node.id][1]
    ads = [n for n, ad in enumerate(world.population.ads) if ad.parent == row]
    spend = world.ledger.counts[Column.SPEND][:, ads].sum(axis=1)
    stops = [one for one in world.activities if one.object_id == node.id]
    first, second = (
        int((one.moment - START).total_seconds() // 3600)
        for one in [one for one in stops if one.event_type.endswith("run_status")][:2]
    )
    assert 3 <= second - first <= 9
    assert not spend[first:second].any()
    assert spend[first - 1] > 0
    assert spend[second : second + 3].any()


def test_nobody_resumes_what_we_have_paused(busy_file: Path) -> None:
    world = World.load(busy_file, start=START)
    for node in world.population.adsets:
        world.change(node.id, Change(status="PAUSED"))
    world.advance(24 * 6)
    assert {node.status for node in world.population.adsets} == {"PAUSED"}


def test_a_person_is_refused_like_anyone_else(busy_file: Path) -> None:
    text = busy_file.read_text(encoding="utf-8")
    busy_file.write_text(
        text.replace("per_adset_hour = 0.03", "per_adset_hour = 1.0", 1), encoding="utf-8"
    )
    world = World.load(busy_file, start=START)
    world.advance(13)
    for n in range(4):
        world.change(world.population.adsets[0].id, Change(daily_budget_minor=100_00 + n))
    before = len(world.activities)
    edit_from_outside(world, local_hour=np.array([12]))
    moved = [one for one in world.activities[before:] if one.event_type == "update_ad_set_budget"]
    assert {one.object_name for one in moved} == {"Retargeting"}
    assert world.population.adsets[0].daily_budget_minor == 100_03


def test_switched_off_nobody_comes(busy_file: Path) -> None:
    text = busy_file.read_text(encoding="utf-8")
    busy_file.write_text(text.replace("[outside]", "[outside]\nenabled = false"), encoding="utf-8")
    world = World.load(busy_file, start=START)
    world.advance(24 * 5)
    assert not world.activities
