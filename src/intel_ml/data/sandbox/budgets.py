"""A campaign's budget given up for budgets of its ad sets.

Reads   a world, a campaign that has a budget of its own, and a budget for each of its ad sets.
Gives   the campaign without a budget, each ad set with one, and the entries of the change log.
Never   leaves an ad set without a budget, and changes nothing when it refuses.

Marketing API, "Advantage campaign budget": `adset_budgets` turns the campaign's budget off.
"""

from __future__ import annotations

from collections.abc import Mapping

from intel_ml.core.errors import RefusedChangeError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import API_ACTOR, HIDDEN, Activity, minimum_budget
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.spending import DAILY_CAP, DAILY_TARGET
from intel_ml.data.sandbox.world import World

_BAD_PARAMETER = 100
_TOGGLED = "update_campaign_budget_optimization_toggling_status"


def check_split(world: World, campaign: Node, budgets: Mapping[str, int]) -> list[Node]:
    """Return the campaign's ad sets, or raise why these budgets can't replace its own."""
    if campaign.daily_budget_minor is None:
        raise _refused("This campaign has no budget of its own to give up.", 1885621)
    if campaign.status in HIDDEN:
        raise _refused("You can only edit the name of an archived or deleted object.", 1487056)
    row = world.population.rows[campaign.id][1]
    adsets = [
        node for node in world.population.adsets if node.parent == row and node.status not in HIDDEN
    ]
    if {node.id for node in adsets} != set(budgets):
        raise _refused("adset_budgets must name every ad set of the campaign once.", None)
    for node in adsets:
        least = minimum_budget(world.population, node)
        if budgets[node.id] < least:
            raise _refused(f"Your budget is too low: the minimum is {least}.", 1885272)
    return adsets


def split_budget(world: World, campaign: Node, budgets: Mapping[str, int]) -> None:
    """Take the campaign's budget away and give each of its ad sets one."""
    adsets = check_split(world, campaign, budgets)
    log = [_entry(world, campaign, _TOGGLED, campaign.daily_budget_minor, None)]
    campaign.daily_budget_minor, campaign.periods, campaign.updated = None, (), world.now
    for node in adsets:
        log.append(_entry(world, node, "update_ad_set_budget", None, budgets[node.id]))
        node.daily_budget_minor, node.updated = budgets[node.id], world.now
        node.budget_changes = [*node.budget_changes, world.now]
        node.settings = {
            name: value
            for name, value in node.settings.items()
            if name not in (DAILY_CAP, DAILY_TARGET)
        }
    world.activities.extend(log)
    world.refresh()


def _entry(world: World, node: Node, event: str, before: int | None, after: int | None) -> Activity:
    return Activity(
        world.now,
        node.account,
        event,
        API_ACTOR,
        node.id,
        node.name,
        EntityType(node.level),
        str(before),
        str(after),
    )


def _refused(message: str, subcode: int | None) -> RefusedChangeError:
    return RefusedChangeError(message, code=_BAD_PARAMETER, subcode=subcode)
