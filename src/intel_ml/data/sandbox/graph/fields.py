"""Field names: what a node knows, and what is asked of it.

Reads   `fields` as callers write it: names, commas, braces for parts of a field.
Gives   the parsed request.
Never   accepts a name the node type doesn't have.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from intel_ml.data.sandbox.graph.errors import bad_parameter

_TYPE_NAMES = {
    "account": "AdAccount",
    "campaign": "AdCampaignGroup",
    "adset": "AdCampaign",
    "ad": "AdGroup",
    "pixel": "AdsPixel",
    "activity": "AdActivity",
    "report": "AdReportRun",
    "budget": "MinimumBudget",
    "stats": "AdsPixelStatsResult",
    "check": "DACheck",
    "rule": "AdRule",
    "schedule": "HighDemandPeriod",
    "recommendation": "AdAccountRecommendations",
}
#: Listed by the SDK and refused since v19.0; so nobody can ask for every field.
_REFUSED = frozenset(
    {
        "age_targeting",
        "gender_targeting",
        "labels",
        "location",
        "wish_bid",
        "estimated_ad_recall_rate_lower_bound",
        "estimated_ad_recall_rate_upper_bound",
        "estimated_ad_recallers_lower_bound",
        "estimated_ad_recallers_upper_bound",
        "total_postbacks",
        "total_postbacks_detailed",
        "total_postbacks_detailed_v4",
    }
)
Asked = tuple[tuple[str, tuple[str, ...]], ...]


@functools.cache
def known_fields(kind: str) -> frozenset[str]:
    """Return every field name of a node type; `insights` is one of them."""
    text = (Path(__file__).parent / "fields.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)[kind].split())


@functools.lru_cache(maxsize=512)
def parse_fields(text: str, kind: str) -> Asked:
    """Return (name, parts) for each field asked of a node of this kind.

    >>> parse_fields("id,learning_stage_info{status,conversions}", "adset")
    (('id', ()), ('learning_stage_info', ('status', 'conversions')))
    """
    asked = []
    for item in split_top(text.strip().removeprefix("[").removesuffix("]").replace('"', "")):
        name, _, rest = item.partition("{")
        if name not in known_fields(kind) or (kind == "insights" and name in _REFUSED):
            raise _unknown(name, kind)
        parts = tuple(split_top(rest.removesuffix("}"))) if rest else ()
        asked.append((name, parts))
    return tuple(asked)


def split_top(text: str) -> list[str]:
    """Return the parts between commas that are in no braces."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    parts.append(current.strip())
    return [part for part in parts if part]


def _unknown(name: str, kind: str) -> Exception:
    if kind == "insights":
        return bad_parameter(
            f"{name} is not valid for fields param. please check https://developers.facebook.com/docs/marketing-api/"
            "reference/ads-insights/ for all valid values"
        )
    return bad_parameter(
        f"Tried accessing nonexisting field ({name}) on node type ({_TYPE_NAMES[kind]})"
    )
