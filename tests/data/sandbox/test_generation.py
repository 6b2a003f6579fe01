"""Generated accounts: as many as asked for, the same every time, and as if written by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.accountfile import Generate, MarketFile
from intel_ml.data.sandbox.generation import generated_accounts
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.worldfile import WorldFile, check_world_file, load_world_file

START = datetime(2026, 10, 20, tzinfo=UTC)
MARKETS = (
    MarketFile("USD", "America/New_York", 20.0, 2.5, 12.0, 46.0, weight=3.0),
    MarketFile("JPY", "Asia/Tokyo", 3000.0, 2.5, 1500.0, 7000.0, min_daily_budget=100.0),
)
SECTION = Generate(
    accounts=40,
    markets=MARKETS,
    kinds={"winner": 1.0, "steady": 3.0},
    bid_share=0.3,
    rejected_share=0.1,
)


@pytest.fixture(scope="module")
def agency() -> WorldFile:
    return load_world_file("agency")


def test_the_agency_has_a_thousand_accounts_of_a_hundred_ads(agency: WorldFile) -> None:
    assert len(agency.accounts) == 1000
    for account in agency.accounts:
        ads = [ad for campaign in account.campaigns for one in campaign.adsets for ad in one.ads]
        assert len(ads) == 100
    assert len({account.id for account in agency.accounts}) == 1000
    assert {account.currency for account in agency.accounts} >= {"USD", "EUR", "JPY", "INR"}
    assert len({account.time_zone for account in agency.accounts}) == 8


def test_an_account_of_the_agency_is_as_good_as_a_written_one(agency: WorldFile) -> None:
    few = replace(agency, accounts=agency.accounts[:5])
    world = World(few, start=START)
    world.advance(48)
    assert len(world.population.ads) == 500
    sums = world.ledger.counts.sum(axis=(1, 2))
    assert sums[Column.SPEND] > 0
    assert sums[Column.TRUE_CONVERSIONS] > 0


def test_the_same_file_makes_the_same_accounts_and_another_seed_others() -> None:
    one, two = (list(generated_accounts([SECTION], seed=3)) for _ in range(2))
    assert one == two
    assert one != list(generated_accounts([SECTION], seed=4))
    assert one[:7] == list(generated_accounts([replace(SECTION, accounts=7)], seed=3))
    assert one == list(generated_accounts([SECTION, SECTION], seed=3))[:40]


def test_weights_and_shares_are_kept_to() -> None:
    accounts = list(generated_accounts([replace(SECTION, accounts=400)], seed=1))
    sets = [one for a in accounts for c in a.campaigns for one in c.adsets]
    currencies = Counter(account.currency for account in accounts)
    assert 0.68 < currencies["USD"] / 400 < 0.82
    kinds = Counter(one.kind for one in sets)
    assert 0.7 < kinds["steady"] / len(sets) < 0.8
    assert 0.26 < sum(one.bid is not None for one in sets) / len(sets) < 0.34
    pooled = [c for a in accounts for c in a.campaigns if c.budget is not None]
    assert 0.15 < len(pooled) / (400 * SECTION.campaigns) < 0.25
    rejected = sum(len(one.rejected_ads) for one in sets) / (len(sets) * SECTION.ads)
    assert 0.08 < rejected < 0.12
    assert {one.status for one in sets} == {"ACTIVE", "PAUSED", "ARCHIVED"}


def test_budgets_fit_their_market() -> None:
    for account in generated_accounts([SECTION], seed=1):
        low, high = (account.target_cpa * factor for factor in SECTION.budget_per_target)
        for campaign in account.campaigns:
            for one in campaign.adsets:
                if one.budget is not None:
                    assert low - 1 <= one.budget <= high + 1
                    assert one.budget == round(one.budget)


def test_generated_and_written_accounts_stand_side_by_side() -> None:
    demo = load_world_file("demo")
    made = tuple(generated_accounts([replace(SECTION, accounts=2)], seed=1))
    both = check_world_file(replace(demo, accounts=(*demo.accounts, *made)))
    world, alone = World(both, start=START), World(demo, start=START)
    world.advance(3)
    alone.advance(3)
    assert len(world.population.accounts) == 5
    assert world.population.find(alone.population.ads[0].id) is not None
