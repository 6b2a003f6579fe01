"""What the store holds as pandas frames, each with its data dictionary in `.attrs["dictionary"]`.

Reads   the store, for one account or all.
Gives   states, signatures, decisions, outcomes, history.
Never   writes; never fills in what is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.money import currency_offset
from intel_ml.features.states import States
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.learning.states import read_signatures, read_states
from intel_ml.learning.training import COLUMNS, training_log
from intel_ml.surfaces.lab.shelf import Shelf

if TYPE_CHECKING:
    import pandas as pd

KEYS = {
    "ad_account_id": "the ad account",
    "entity_type": "campaign, adset or ad",
    "entity_id": "the entity's id at the platform",
    "as_of": "the moment at which this was known (UTC)",
}
_HISTORY = KEYS | {
    "day": "the account's day",
    "name": "the entity's name as last seen",
    "currency": "the account's currency; money below is in its major units",
    "seen_at": "when the day was last seen (UTC)",
    "is_total": "totals of an unknown period, from a file without dates",
}
_MONEY = ("spend", "conversion_value")


def accounts(found: Sequence[Account], *, sharing: Collection[str]) -> pd.DataFrame:
    """Return accounts as a frame; those in `sharing` lend each other what they have learned."""
    import pandas as pd  # noqa: PLC0415  # heavy

    return pd.DataFrame(
        [
            {
                "account": one.id,
                "name": one.name,
                "currency": one.currency,
                "time_zone": one.time_zone,
                "target_cpa": None if one.target_cpa is None else float(one.target_cpa.major),
                "target_roas": one.target_roas,
                "mode": one.mode.value,
                "shares": one.id in sharing,
                "source": one.source,
            }
            for one in found
        ]
    )


def state_frame(states: States) -> pd.DataFrame:
    """Return states as a frame: one row an entity and moment, a column a feature."""
    import pandas as pd  # noqa: PLC0415  # heavy

    frame = pd.DataFrame(
        {
            "ad_account_id": [entity.account for entity in states.entities],
            "entity_type": [entity.type.value for entity in states.entities],
            "entity_id": [entity.id for entity in states.entities],
            "as_of": list(states.moments),
            **states.columns,
        }
    )
    return described(frame, KEYS | Shelf().dictionary())


def states(connection: Connection, *, accounts: Sequence[Account], as_of: datetime) -> pd.DataFrame:
    """Return the state of every entity as known at `as_of`."""
    return state_frame(read_states(connection, accounts=accounts, as_of=as_of))


def signatures(
    connection: Connection, *, accounts: Sequence[Account], as_of: datetime
) -> pd.DataFrame:
    """Return thirty-day signatures; money is in major units of each account's own currency."""
    frame = read_signatures(connection, accounts=accounts, as_of=as_of)
    return described(frame, KEYS | Shelf().dictionary())


def decisions(
    connection: Connection,
    *,
    account: str | None,
    days: int | None,
    horizon: int = HORIZON_HOURS,
    now: datetime,
) -> pd.DataFrame:
    """Return the log policies learn from, with the rewards of one horizon."""
    if days is not None and (not str(days).isdigit() or int(days) < 1):
        raise InvalidValueError(path="days", problem=f"{days!r} is not a number of days")
    frame = training_log(
        connection, account=account, days=days and int(days), horizon_hours=horizon, now=now
    )
    arms = {f"pmf_{arm}": f"probability with which {arm} was proposed" for arm in ARMS}
    return described(frame, COLUMNS | arms | Shelf().dictionary(prefix="state_"))


def outcomes(
    connection: Connection, *, account: str | None, horizon: int = HORIZON_HOURS, now: datetime
) -> pd.DataFrame:
    """Return what was measured: the executed arm, the state before and after, both rewards."""
    import pandas as pd  # noqa: PLC0415  # heavy

    rows = connection.execute(
        text(
            "SELECT ad_account_id, entity_type, entity_id, decision_id, executed, is_held_out, "
            "verdict, action_source, horizon_hours, action_taken_at, "
            "outcome_measured_at, reward_before_after, reward_against_holdout, outcome_details "
            "FROM intel_ml_training_data WHERE outcome_measured AND outcome_measured_at <= :now "
            "AND horizon_hours = :horizon "
            "AND (CAST(:account AS text) IS NULL OR ad_account_id = :account) "
            "ORDER BY outcome_measured_at, id"
        ),
        {"account": account, "horizon": horizon, "now": now},
    ).mappings()
    records = []
    for row in rows:
        details = row["outcome_details"] or {}
        flat = {
            f"{name}_{when}": value
            for when in ("before", "after")
            for name, value in details.get(when, {}).items()
        }
        records.append({k: v for k, v in row.items() if k != "outcome_details"} | flat)
    return described(pd.DataFrame.from_records(records), COLUMNS)


def history(
    connection: Connection, *, accounts: Sequence[Account], since: date | str, until: date | str
) -> pd.DataFrame:
    """Return an entity's account days from `since` up to, not including, `until`."""
    import pandas as pd  # noqa: PLC0415  # heavy

    first, end = _day(since, "since"), _day(until, "until")
    if first >= end:
        raise InvalidValueError(path="until", problem=f"{end} is not after since, {first}")
    rows = connection.execute(
        text(
            """
            SELECT DISTINCT ON (d.ad_account_id, d.entity_type, d.entity_id, d.day)
                   d.ad_account_id, d.entity_type, d.entity_id, e.name, d.day, a.currency,
                   d.seen_at, d.is_total,
                   d.impressions, d.reach, d.clicks, d.link_clicks, d.spend_minor, d.conversions,
                   d.conversion_value_minor
            FROM intel_performance_daily d
            JOIN intel_ad_account a USING (ad_account_id)
            LEFT JOIN intel_entity e USING (ad_account_id, entity_type, entity_id)
            WHERE d.ad_account_id = ANY(:accounts) AND d.day >= :first AND d.day < :end
            ORDER BY d.ad_account_id, d.entity_type, d.entity_id, d.day, d.seen_at DESC
            """
        ),
        {"accounts": [account.id for account in accounts], "first": first, "end": end},
    )
    columns = list(map(str, rows.keys()))
    records: list[Any] = list(rows.mappings())
    frame = pd.DataFrame.from_records(records, columns=columns)
    offsets = frame["currency"].map(currency_offset).astype("float64")
    for name in _MONEY:
        frame[name] = frame.pop(f"{name}_minor").astype("float64") / offsets
    for name in ("impressions", "reach", "clicks", "link_clicks", "conversions"):
        frame[name] = frame[name].astype("float64")
    return described(frame, _HISTORY | Shelf().dictionary())


def entity_names(connection: Connection) -> dict[tuple[str, str], str]:
    """Return what every entity is called, by account and id."""
    rows = connection.execute(text("SELECT ad_account_id, entity_id, name FROM intel_entity"))
    return {(row.ad_account_id, row.entity_id): row.name for row in rows if row.name}


def rule_names(connection: Connection) -> dict[tuple[str, int], str]:
    """Return what every rule is called, by account and id; those that were deleted too."""
    rows = connection.execute(text("SELECT ad_account_id, id, name FROM intel_automation_rule"))
    return {(row.ad_account_id, row.id): row.name for row in rows}


def described(frame: pd.DataFrame, dictionary: dict[str, str]) -> pd.DataFrame:
    """Return the frame with the meaning of each of its columns in `.attrs["dictionary"]`."""
    frame.attrs["dictionary"] = {c: dictionary[c] for c in frame.columns if c in dictionary}
    return frame


def known_share(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each feature of states or signatures the share of rows that know it."""
    import pandas as pd  # noqa: PLC0415  # heavy

    features = [c for c in frame.columns if c not in KEYS]
    dictionary: dict[str, Any] = frame.attrs.get("dictionary", {})
    table = pd.DataFrame(
        {
            "known": frame[features].notna().mean() if len(frame) else 0.0,
            "formula": [dictionary.get(name, "") for name in features],
        },
        index=features,
    )
    return table.sort_values("known", ascending=False, kind="stable")


def moment(value: datetime | str | None, *, now: datetime) -> datetime:
    """Return the moment that is asked for; `now` where none is.

    >>> from datetime import UTC
    >>> moment("2026-11-10T12:00Z", now=datetime(2026, 11, 22, tzinfo=UTC)).hour
    12
    """
    if value is None:
        return now
    try:
        asked = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidValueError(path="as_of", problem=f"'{value}' is not a moment") from error
    if asked.tzinfo is None:
        hint = f"Write {asked.isoformat(timespec='minutes')}+00:00 or another offset."
        raise InvalidValueError(path="as_of", problem=f"{value} has no time zone", hint=hint)
    if asked > now:
        told = f"{asked:%Y-%m-%d %H:%M %Z} is after now, {now:%Y-%m-%d %H:%M} UTC"
        raise InvalidValueError(path="as_of", problem=told)
    return asked


def _day(value: date | str, name: str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidValueError(path=name, problem=f"'{value}' is not YYYY-MM-DD") from error
