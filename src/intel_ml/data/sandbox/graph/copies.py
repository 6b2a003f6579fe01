"""POST on `copies` of a campaign, an ad set or an ad.

    rename_strategy   ONLY_TOP_LEVEL_RENAME (default), DEEP_RENAME, NO_RENAME
    status_option     PAUSED (default), ACTIVE, INHERITED_FROM_SOURCE

Marketing API, "Copies". Nothing in it makes a repeated request harmless: whoever doesn't know the
outcome reads `copies` or `source_*_id`.

Reads   an object and form values.
Gives   the ids of what was made.
Never   copies what was archived or deleted.
"""

from __future__ import annotations

from typing import Any

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.copying import Copied, Copying, Renaming
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.parameters import Params, choice, mapping, moment, only, yes
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.world import World

_PARENT = {EntityType.ADSET: "campaign_id", EntityType.AD: "adset_id"}
_SHARED = frozenset({"status_option", "rename_options"})
_TIMES = frozenset({"deep_copy", "start_time", "end_time"})
_KNOWN = {
    EntityType.CAMPAIGN: _SHARED | _TIMES,
    EntityType.ADSET: _SHARED | _TIMES | {"campaign_id"},
    EntityType.AD: _SHARED | {"adset_id"},
}
_NOT_PLAYED = frozenset(
    {
        "create_dco_adset",
        "migrate_to_advantage_plus",
        "parameter_overrides",
        "creative_parameters",
    }
)
_STATUSES = ("ACTIVE", "PAUSED", "INHERITED_FROM_SOURCE")
_RENAMING = frozenset({"rename_strategy", "rename_prefix", "rename_suffix"})
_KINDS = {EntityType.CAMPAIGN: "campaign", EntityType.ADSET: "ad_set", EntityType.AD: "ad"}
_ANSWERS = {
    EntityType.CAMPAIGN: "copied_campaign_id",
    EntityType.ADSET: "copied_adset_id",
    EntityType.AD: "copied_ad_id",
}


def copy(world: World, source: Node, params: Params) -> dict[str, Any]:
    """Copy an object and return the ids of everything made."""
    only(params, _KNOWN[source.level], documented=_NOT_PLAYED)
    how = _how(source, params)
    if how.start is not None and how.end is not None and how.end <= how.start:
        raise bad_parameter("end_time must be after start_time")
    if how.end is not None and how.end <= world.now:
        raise bad_parameter("end_time must be in the future")
    return _answer(world.copy(source.id, how), source.level)


def _how(source: Node, params: Params) -> Copying:
    rename = mapping(params, "rename_options")
    for name in rename:
        if name not in _RENAMING:
            raise bad_parameter(f"Unknown key in rename_options: {name}")
    strategy = str(rename.get("rename_strategy", Renaming.ONLY_TOP_LEVEL_RENAME))
    if strategy not in set(Renaming):
        raise bad_parameter(f"rename_strategy must be one of: {', '.join(Renaming)}")
    parent = _PARENT.get(source.level)
    return Copying(
        deep=yes(params, "deep_copy"),
        status=choice(params, "status_option", _STATUSES) or "PAUSED",
        renaming=Renaming(strategy),
        prefix=str(rename.get("rename_prefix", "")),
        suffix=str(rename.get("rename_suffix", " - Copy")),
        parent_id=params.get(parent) if parent else None,
        start=moment(params, "start_time"),
        end=moment(params, "end_time"),
    )


def _answer(copied: Copied, level: EntityType) -> dict[str, Any]:
    answer: dict[str, Any] = {_ANSWERS[level]: copied.copied_id}
    if level is not EntityType.AD:
        answer["ad_object_ids"] = [
            {
                "ad_object_type": _KINDS[pair.level],
                "source_id": pair.source_id,
                "copied_id": pair.copied_id,
            }
            for pair in copied.pairs
        ]
    return answer
