"""Which column of a file means what: told, remembered, or suggested by known names.

Reads   a header; a mapping {our column: the file's column}.
Gives   a complete mapping, or an error that names what is missing and what is there.
Never   maps by position, nor takes a column for two things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError, MissingColumnsError, UnknownNameError
from intel_ml.core.ids import EntityType
from intel_ml.core.money import CURRENCIES

IDENTITY = ("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name")
METRICS = (
    "impressions",
    "reach",
    "clicks",
    "link_clicks",
    "spend",
    "conversions",
    "conversion_value",
)
TARGETS = (*IDENTITY, "day", *METRICS, "currency")
#: Without these nothing can be judged: who it was, how often it was shown, what it cost.
REQUIRED_METRICS = ("impressions", "spend")

#: Names met in exports, without case, marks and units; the first that a file has is suggested.
_KNOWN_AS: dict[str, tuple[str, ...]] = {
    "campaign_id": ("campaign id", "xyz campaign id"),
    "campaign_name": ("campaign name", "campaign"),
    "adset_id": ("ad set id", "adset id", "fb campaign id", "ad group id"),
    "adset_name": ("ad set name", "adset name", "ad set", "adset"),
    "ad_id": ("ad id",),
    "ad_name": ("ad name", "ad"),
    "day": ("day", "date", "date start"),
    "impressions": ("impressions", "impr"),
    "reach": ("reach",),
    "clicks": ("clicks all", "clicks"),
    "link_clicks": ("link clicks", "inline link clicks", "outbound clicks"),
    "spend": ("amount spent", "spend", "spent", "cost"),
    "conversions": (
        "purchases",
        "website purchases",
        "approved conversion",
        "approved conversions",
        "conversions",
        "results",
        "total conversion",
        "total conversions",
    ),
    "conversion_value": (
        "purchases conversion value",
        "website purchases conversion value",
        "conversion value",
        "purchase value",
        "revenue",
    ),
    "currency": ("currency", "account currency"),
}
_UNIT = re.compile(r"\(([A-Z]{3})\)")


def suggest(header: Sequence[str]) -> dict[str, str]:
    """Return the columns whose names are known.

    >>> suggest(["Ad ID", "Impressions", "Amount spent (USD)"])
    {'ad_id': 'Ad ID', 'impressions': 'Impressions', 'spend': 'Amount spent (USD)'}
    """
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(_plain(name), name)
    found = {}
    for target, names in _KNOWN_AS.items():
        column = next((plain[name] for name in names if name in plain), None)
        if column is not None:
            found[target] = column
    return found


def complete(header: Sequence[str], told: Mapping[str, str] | None) -> dict[str, str]:
    """Return what was told, filled up with suggestions; an empty name leaves a column of ours out.

    Raises
    ------
    UnknownNameError
        When the mapping names a column of ours that does not exist.
    MissingColumnsError
        When the file lacks a column that was named, or one that is needed; all are listed at once.
    """
    told = told or {}
    for target in told:
        if target not in TARGETS:
            raise UnknownNameError(kind="column of a mapping", name=target, known=TARGETS)
    absent = [name for name in told.values() if name and name not in header]
    if absent:
        raise MissingColumnsError(missing=absent, present=header)
    taken = set(told.values())
    suggested = {
        t: name for t, name in suggest(header).items() if name not in taken and t not in told
    }
    mapping = {t: name for t in TARGETS if (name := told.get(t) or suggested.get(t))}
    _refuse_shared(mapping)
    missing = [name for name in REQUIRED_METRICS if name not in mapping]
    if not any(name in mapping for name in IDENTITY):
        missing.insert(0, "one of " + ", ".join(IDENTITY))
    if missing:
        raise MissingColumnsError(missing=missing, present=header)
    return mapping


def deepest(mapping: Mapping[str, str]) -> EntityType:
    """Return the level the file's rows are about: the lowest that has a column."""
    levels = (EntityType.AD, EntityType.ADSET, EntityType.CAMPAIGN)
    return next(v for v in levels if f"{v}_id" in mapping or f"{v}_name" in mapping)


def refuse_other_currency(mapping: Mapping[str, str], account: Account) -> None:
    """Refuse a file whose header names another currency than the account's."""
    for target in ("spend", "conversion_value"):
        found = _UNIT.search(mapping.get(target, ""))
        if found and found[1] in CURRENCIES and found[1] != account.currency:
            raise InvalidValueError(
                path=mapping[target], problem=f"the account's currency is {account.currency}"
            )


def _refuse_shared(mapping: Mapping[str, str]) -> None:
    columns = list(mapping.values())
    shared = sorted({name for name in columns if columns.count(name) > 1})
    if shared:
        raise InvalidValueError(path="mapping", problem=f"{shared[0]} is used for two columns")


def _plain(name: str) -> str:
    without_unit = re.sub(r"\([A-Z]{3}\)", " ", name)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", without_unit.lower()).split())
