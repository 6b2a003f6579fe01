"""The import of a file: all of it or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError, MissingColumnsError, UnknownNameError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Mode
from intel_ml.data.files.importer import import_csv, offered_mapping
from intel_ml.data.store.accounts import accounts

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
KAG = Path(__file__).parents[4] / "shared" / "data" / "kag" / "KAG_conversion_data.csv"
EXPORT = """Campaign name,Ad set name,Ad name,Day,Impressions,Reach,Link clicks,Amount spent (USD),\
Purchases,Purchases conversion value
,,,,"3,300",,33,33.00,4,80.00
Summer,Lookalike,Red,2026-11-01,"1,000",900,10,10.50,1,20.00
Summer,Lookalike,Red,2026-11-02,"1,200",950,12,11.50,,
Summer,Lookalike,Blue,2026-11-01,"1,100",800,11,11.00,3,60.00
"""


def account(currency="USD", zone="America/New_York") -> Account:
    return Account(
        AdAccountId("act_file"), "File", currency, zone, None, None, Mode.SHADOW, "file", NOW
    )


def run(store, path, **options):
    given = {"account": account(), "as_of": NOW, **options}
    return import_csv(store, path, **given)


def write(folder: Path, content: str | bytes, name="export.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(store, sql):
    with store.connection() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def stored(store):
    return {
        (kind, name, day): values
        for kind, name, day, *values in rows(
            store,
            "SELECT d.entity_type, e.name, d.day, impressions, reach, spend_minor, conversions "
            "FROM intel_performance_daily d "
            "JOIN intel_entity e USING (ad_account_id, entity_type, entity_id)",
        )
    }


def test_an_export_becomes_ads_ad_sets_and_campaigns(store, tmp_path):
    report = run(store, write(tmp_path, EXPORT))
    assert (report.rows, report.skipped, report.entities, report.stored) == (3, 1, 4, 7)
    assert report.mapping["spend"] == "Amount spent (USD)"
    first, second = date(2026, 11, 1), date(2026, 11, 2)
    assert stored(store) == {
        ("ad", "Red", first): [1000, 900, 1050, 1],
        ("ad", "Red", second): [1200, 950, 1150, None],  # an empty cell is unknown, not none
        ("ad", "Blue", first): [1100, 800, 1100, 3],
        ("adset", "Lookalike", first): [2100, None, 2150, 4],  # people reached do not add up
        ("adset", "Lookalike", second): [1200, None, 1150, None],
        ("campaign", "Summer", first): [2100, None, 2150, 4],
        ("campaign", "Summer", second): [1200, None, 1150, None],
    }


def test_the_structure_is_kept_and_no_status_invented(store, tmp_path):
    run(store, write(tmp_path, EXPORT))
    found = rows(
        store,
        "SELECT a.name, s.name, c.name, a.effective_status FROM intel_entity a "
        "JOIN intel_entity s ON s.entity_id = a.adset_id "
        "JOIN intel_entity c ON c.entity_id = a.campaign_id "
        "WHERE a.entity_type = 'ad' ORDER BY 1",
    )
    assert found == [
        ("Blue", "Lookalike", "Summer", "UNKNOWN"),
        ("Red", "Lookalike", "Summer", "UNKNOWN"),
    ]


def test_the_same_file_twice_changes_nothing_and_its_mapping_is_remembered(store, tmp_path):
    path = write(tmp_path, EXPORT)
    first = run(store, path)
    before = rows(store, "SELECT * FROM intel_performance_daily ORDER BY 1, 2, 3, 4, 5")
    again = run(store, path, as_of=NOW + timedelta(days=1))
    assert (first.remembered, again.remembered, again.stored) == (False, True, 0)
    assert rows(store, "SELECT * FROM intel_performance_daily ORDER BY 1, 2, 3, 4, 5") == before


def test_a_told_mapping_is_used_saved_and_offered_again(store, tmp_path):
    path = write(tmp_path, "who,seen,paid,spend\nx1,10,2.50,99\n")
    told = {"ad_id": "who", "impressions": "seen", "spend": "paid"}
    report = run(store, path, mapping=told)
    assert report.mapping == told
    assert offered_mapping(store, path, account=account()) == told
    assert run(store, path).mapping == told
    assert stored(store)["ad", "x1", date(2026, 11, 19)] == [10, None, 250, None]


def test_an_empty_name_leaves_a_column_out_for_good(store, tmp_path):
    path = write(tmp_path, "ad_id,impressions,spend,clicks\n1,10,2,7\n")
    report = run(store, path, mapping={"clicks": ""})
    assert "clicks" in report.unavailable
    assert "clicks" not in run(store, path).mapping


def test_rows_without_a_day_are_totals_filed_under_the_accounts_day(store, tmp_path):
    path = write(tmp_path, "ad_id,impressions,spend\n1,10,2.00\n")
    report = run(store, path)
    assert "day" in report.unavailable_features
    # 03:00 UTC on the 20th is still the 19th in New York.
    assert rows(store, "SELECT DISTINCT day, is_total, source FROM intel_performance_daily") == [
        (date(2026, 11, 19), True, "file")
    ]
    run(store, path, day=date(2026, 1, 1))
    assert (date(2026, 1, 1),) in rows(store, "SELECT day FROM intel_performance_daily")


def test_rows_of_one_ad_and_day_add_up_but_not_its_reach(store, tmp_path):
    path = write(
        tmp_path, "ad_id,age,impressions,reach,spend\n1,18-24,10,9,1.00\n1,25-34,20,15,2.00\n"
    )
    run(store, path)
    assert rows(store, "SELECT impressions, reach, spend_minor FROM intel_performance_daily") == [
        (30, None, 300)
    ]


def test_missing_columns_are_all_named_beside_those_that_are_there(store, tmp_path):
    path = write(tmp_path, "colour,clicks\nred,1\n")
    with pytest.raises(MissingColumnsError) as caught:
        run(store, path)
    assert caught.value.missing == [
        "one of campaign_id, campaign_name, adset_id, adset_name, ad_id, ad_name",
        "impressions",
        "spend",
    ]
    assert caught.value.present == ["colour", "clicks"]


def test_a_mapping_to_columns_that_are_not_there_names_them(store, tmp_path):
    path = write(tmp_path, "ad_id,impressions,spend\n1,2,3\n")
    with pytest.raises(MissingColumnsError) as caught:
        run(store, path, mapping={"conversions": "Buys", "clicks": "Taps"})
    assert caught.value.missing == ["Buys", "Taps"]


def test_a_mapping_of_an_unknown_column_of_ours_names_the_nearest(store, tmp_path):
    path = write(tmp_path, "ad_id,impressions,spend\n1,2,3\n")
    with pytest.raises(UnknownNameError, match="Did you mean 'conversions'"):
        run(store, path, mapping={"conversion": "spend"})


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("ad_id,impressions,spend\n1,10,2\n2,ten,2\n", "line 3, column 'impressions'"),
        ("ad_id,impressions,spend\n1,10,-2\n", "line 2, column 'spend'"),
        ("ad_id,impressions,spend\n1,10,NaN\n", "line 2, column 'spend'"),
        ("ad_id,impressions,spend\n1,10,1e309\n", "line 2, column 'spend'"),
        ("ad_id,impressions,spend\n1,10,=1+1\n", "line 2, column 'spend'"),
        ("ad_id,impressions,spend\n1,1.5,2\n", "line 2, column 'impressions'"),
        ("ad_id,impressions,spend\n../x,1,2\n", "line 2, column 'ad_id'"),
        ("ad_id,day,impressions,spend\n1,22.11.2026,1,2\n", "line 2, column 'day'"),
        ("ad_id,day,impressions,spend\n1,,1,2\n", "line 2, column 'day'"),
        ("ad_id,impressions,spend\n1,10\n", "line 2"),
        ("ad_id,impressions,spend\n1,10,2\n,10,2\n3,1,1\n", "line 3"),
        ("ad_id,impressions,spend,spend\n1,10,2,3\n", "header"),
        ("ad_id,impressions,Amount spent (EUR)\n1,10,2\n", "Amount spent (EUR)"),
        ("ad_id,impressions,spend,currency\n1,10,2,EUR\n", "line 2, column 'currency'"),
        ('ad_id,impressions,spend\n"1,10,2\n', "line"),
        (b"ad_id,impressions,spend\n\xff\xfe,1,2\n", "line 2"),
        (b"PK\x03\x04rest", "export.csv"),
        ("", "export.csv"),
    ],
)
def test_a_bad_cell_is_named_with_line_and_column_and_nothing_is_loaded(
    store, tmp_path, content, where
):
    with pytest.raises(InvalidValueError) as caught:
        run(store, write(tmp_path, content))
    assert caught.value.path.startswith(where)
    for table in ("performance_daily", "entity", "file_mapping", "ad_account"):
        assert rows(store, f"SELECT count(*) FROM intel_{table}") == [(0,)]  # noqa: S608


def test_a_file_that_is_not_there_is_said_so(store, tmp_path):
    with pytest.raises(InvalidValueError, match="No such file"):
        run(store, tmp_path / "absent.csv")


@pytest.mark.parametrize(
    "content",
    [
        "ad_id,impressions,spend\n1,1234,1234.50\n",
        'ad_id,impressions,spend\n1,"1,234","1,234.50"\n',
        "ad_id;impressions;spend\n1;1.234;1.234,50\n",
        "ad_id;impressions;spend\n1;1 234;1 234,5\n",
        "ad_id;impressions;spend\n1;1234;1234.50\n",
        "ad_id\timpressions\tspend\n1\t1234\t1234.50\n",
        "\ufeffad_id,impressions,spend\r\n1,1234,1234.5\r\n\r\n",
        "\ufeffad_id\timpressions\tspend\n1\t1234\t1234.50\n".encode("utf-16-le"),
        'Ad ID,Impressions,"Amount spent (USD)"\n1,1234,1234.50\n',
    ],
)
def test_one_content_in_every_dress(store, tmp_path, content):
    run(store, write(tmp_path, content))
    assert rows(store, "SELECT impressions, spend_minor FROM intel_performance_daily") == [
        (1234, 123450)
    ]


def test_a_whole_currency_is_rounded_to_whole_units(store, tmp_path):
    path = write(tmp_path, "ad_id,impressions,spend\n1,10,5000\n")
    run(store, path, account=account("JPY", "Asia/Tokyo"))
    assert rows(store, "SELECT spend_minor FROM intel_performance_daily") == [(5000,)]


def test_the_account_of_a_file_is_stored(store, tmp_path):
    run(store, write(tmp_path, "ad_id,impressions,spend\n1,10,2\n"))
    with store.session() as session:
        assert [a.id for a in accounts(session)] == ["act_file"]


@pytest.mark.skipif(not KAG.exists(), reason="the Kaggle set is not part of the project")
def test_a_thousand_real_ads_keep_their_totals(store):
    report = run(store, KAG)
    assert report.rows == 1143
    assert report.mapping["conversions"] == "Approved_Conversion"
    assert report.unavailable == ("reach", "link_clicks", "conversion_value", "day")
    totals = rows(
        store,
        "SELECT entity_type, count(*), sum(spend_minor), sum(impressions), sum(clicks), "
        "sum(conversions) FROM intel_performance_daily GROUP BY 1 ORDER BY 1",
    )
    assert totals == [
        (kind, n, 58_705_23, 213_434_828, 38_165, 1_079)
        for kind, n in (("ad", 1143), ("adset", 691), ("campaign", 3))
    ]
