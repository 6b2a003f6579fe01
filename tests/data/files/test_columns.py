"""Which column of a file means what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError, MissingColumnsError
from intel_ml.core.ids import EntityType
from intel_ml.data.files.columns import TARGETS, complete, deepest, suggest

KAG = (
    "ad_id,xyz_campaign_id,fb_campaign_id,age,gender,interest,"
    "Impressions,Clicks,Spent,Total_Conversion,Approved_Conversion"
)


def test_known_names_are_suggested():
    assert suggest(KAG.split(",")) == {
        "ad_id": "ad_id",
        "campaign_id": "xyz_campaign_id",
        "adset_id": "fb_campaign_id",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "spend": "Spent",
        "conversions": "Approved_Conversion",
    }


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Amount spent (USD)", "spend"),
        ("Amount Spent (JPY)", "spend"),
        ("Clicks (all)", "clicks"),
        ("Link clicks", "link_clicks"),
        ("Ad Set Name", "adset_name"),
        ("Day", "day"),
        ("Purchases conversion value", "conversion_value"),
        ("Results", "conversions"),
    ],
)
def test_names_of_exports_are_known(name, target):
    assert suggest([name]) == {target: name}


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=12))
def test_a_suggestion_names_only_what_is_there_and_nothing_twice(header):
    found = suggest(header)
    assert set(found) <= set(TARGETS)
    assert set(found.values()) <= set(header)
    assert len(set(found.values())) == len(found)


def test_what_is_told_goes_before_what_is_suggested():
    header = ["ad_id", "impressions", "spend", "cost"]
    assert complete(header, {"spend": "cost"})["spend"] == "cost"
    assert complete(header, None)["spend"] == "spend"


def test_a_column_told_for_one_thing_is_not_suggested_for_another():
    found = complete(["ad_id", "impressions", "spend", "clicks"], {"conversions": "clicks"})
    assert (found["conversions"], "clicks" in found) == ("clicks", False)


def test_one_column_for_two_things_is_refused():
    with pytest.raises(InvalidValueError, match="two columns"):
        complete(
            ["ad_id", "impressions", "spend"],
            {"clicks": "spend", "link_clicks": "spend", "spend": "spend"},
        )


def test_leaving_out_what_is_needed_is_refused():
    with pytest.raises(MissingColumnsError, match="spend"):
        complete(["ad_id", "impressions", "spend"], {"spend": ""})


@pytest.mark.parametrize(
    ("mapping", "level"),
    [
        ({"ad_name": "a", "campaign_id": "c"}, EntityType.AD),
        ({"adset_id": "a", "campaign_id": "c"}, EntityType.ADSET),
        ({"campaign_name": "c"}, EntityType.CAMPAIGN),
    ],
)
def test_rows_are_about_the_lowest_level_named(mapping, level):
    assert deepest(mapping) is level
