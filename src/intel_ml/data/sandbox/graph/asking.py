"""What an insights question asks for, parsed and checked once.

Reads   the parameters of an insights call.
Gives   `Asking`.
Never   passes over a parameter or value that Meta would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intel_ml.data.sandbox.graph.breakdowns import HOURLIES, invalid_combination
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.listing import parse_filters, parse_names
from intel_ml.data.sandbox.graph.narrowing import Narrowing, narrowing
from intel_ml.data.sandbox.graph.rows import NUMBERS, RANKS

_DEFAULT_FIELDS = "account_id,impressions,spend"
LEVELS = ("account", "campaign", "adset", "ad")
_REPORT_TIMES = ("conversion", "impression", "lifetime", "mixed")
_TRUTHS = frozenset({"true", "1"})
_DIRECTIONS = {"_ascending": False, "_descending": True}
#: Accepted and without effect: windows and times of attribution follow each ad set's own setting.
PARAMETERS = frozenset(
    {
        "action_attribution_windows",
        "action_breakdowns",
        "action_report_time",
        "after",
        "before",
        "breakdowns",
        "cpas_only",
        "date_preset",
        "default_summary",
        "export_columns",
        "export_format",
        "export_name",
        "fields",
        "filtering",
        "graph_cache",
        "level",
        "limit",
        "product_id_limit",
        "sort",
        "summary",
        "summary_action_breakdowns",
        "time_increment",
        "time_range",
        "time_ranges",
        "use_account_attribution_setting",
        "use_unified_attribution_setting",
    }
)
SortKey = tuple[str, str | None, bool]


@dataclass(frozen=True, slots=True)
class Asking:
    """Fields, level and conditions of one question; `sort` has (field, action type, descends)."""

    level: str
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...]
    narrowing: Narrowing
    sort: tuple[SortKey, ...]
    summary: tuple[str, ...]

    @property
    def hourly(self) -> tuple[str, ...]:
        """The hourly breakdown, if there is one."""
        return tuple(name for name in self.breakdowns if name in HOURLIES)

    @property
    def _used(self) -> frozenset[str]:
        keys = {one.field.rpartition(".")[2] for one in self.narrowing.metrics}
        return frozenset({*self.fields, *self.summary, *keys, *(one[0] for one in self.sort)})

    @property
    def needs_peers(self) -> bool:
        """Whether ads are compared with the others of their account."""
        return self.level == "ad" and bool(self._used & RANKS)


def asking(params: Mapping[str, str], *, level: str) -> Asking:
    """Return what is asked about an object of a level."""
    level = params.get("level", level)
    if level not in LEVELS:
        raise bad_parameter(f"level must be one of the following values: {', '.join(LEVELS)}")
    if params.get("action_report_time", "mixed") not in _REPORT_TIMES:
        raise bad_parameter(
            f"action_report_time must be one of the following values: {', '.join(_REPORT_TIMES)}"
        )
    fields = tuple(
        name for name, _ in parse_fields(params.get("fields") or _DEFAULT_FIELDS, "insights")
    )
    breakdowns = parse_names(params.get("breakdowns"), "breakdowns")
    if set(breakdowns) & set(HOURLIES) and any(name.startswith("video_") for name in fields):
        raise invalid_combination(breakdowns)
    return Asking(
        level=level,
        fields=fields,
        breakdowns=breakdowns,
        narrowing=narrowing(parse_filters(params.get("filtering")), level=level),
        sort=tuple(_sort_key(one) for one in parse_names(params.get("sort"), "sort")),
        summary=_summary(params, fields),
    )


def _sort_key(text: str) -> SortKey:
    """Return how to sort by `spend_descending` or `actions:link_click_ascending`."""
    name, descends = text, False
    for ending, direction in _DIRECTIONS.items():
        if text.endswith(ending):
            name, descends = text.removesuffix(ending), direction
    field, _, action_type = name.partition(":")
    if field not in NUMBERS and field != "date_start":
        raise bad_parameter(f"sort: {field} is not a field that results can be sorted by")
    return field, action_type or None, descends


def _summary(params: Mapping[str, str], fields: tuple[str, ...]) -> tuple[str, ...]:
    if params.get("default_summary", "").lower() in _TRUTHS:
        return fields
    # The SDK's cursors send `summary=true` with everything, and expect nothing for it here.
    if params.get("summary", "").lower() in {*_TRUTHS, "false", "0"}:
        return ()
    names = parse_names(params.get("summary"), "summary")
    # A report is summed up by what it holds; the text is the one collectors know.
    missing = [name for name in names if name not in fields]
    if missing:
        raise bad_parameter(
            f"Cannot include {', '.join(missing)} in summary param because they weren't there "
            "while creating the report run."
        )
    return names
