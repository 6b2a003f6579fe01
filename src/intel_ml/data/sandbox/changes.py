"""Edits of campaigns, ad sets and ads, and what the platform refuses.

Reads   a `Change` and the node it is for.
Gives   the changed node and the entries of the change log.
Never   changes anything when it refuses: all checks come first.

Codes from the Marketing API's error reference: 613/1487632 five budget changes in an hour,
100/1885621 budget of ad set and campaign, 100/1885272 budget too low, 100/1487056 archived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from intel_ml.core.errors import PlatformError, RefusedChangeError, ThrottledError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.population import Node, Population, minor
from intel_ml.data.sandbox.spending import LOWEST_COST

_BAD_PARAMETER = 100
_THROTTLED = 613
_CHANGES_AN_HOUR = 4
_LOWEST_LIFETIME_SHARE = 1.1
_EVENT_NAMES = {
    EntityType.CAMPAIGN: "campaign",
    EntityType.ADSET: "ad_set",
    EntityType.AD: "ad",
}
_SETTING_EVENTS = {
    "bid_strategy": "update_ad_set_bid_strategy",
    "bid_constraints": "update_ad_set_bidding",
    "daily_spend_cap": "update_ad_set_spend_cap",
    "daily_min_spend_target": "update_ad_set_min_spend_target",
    "spend_cap": "update_campaign_group_spend_cap",
}
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
HIDDEN = ("ARCHIVED", "DELETED")
API_ACTOR = "Campaign Intelligence Engine"
HUMAN_ACTOR = "Alex Morgan"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be set; None leaves a setting as it is. Money in minor units.

    `settings` are further ones by Meta's names; there None takes a setting away.
    """

    status: str | None = None
    daily_budget_minor: int | None = None
    lifetime_budget_minor: int | None = None
    bid_amount_minor: int | None = None
    name: str | None = None
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of an account's change log."""

    moment: datetime
    account: int
    event_type: str
    actor: str
    object_id: str
    object_name: str
    level: EntityType
    before: str
    after: str


def check_change(
    population: Population, node: Node, change: Change, *, now: datetime, spent_minor: int
) -> None:
    """Raise what the platform would answer; silence means the change is acceptable."""
    only_name = change == Change(name=change.name)
    is_removed = node.status == "ARCHIVED" and change == Change(status="DELETED")
    if node.status in HIDDEN and not only_name and not is_removed:
        raise _refused("You can only edit the name of an archived or deleted object.", 1487056)
    strategy = {**node.settings, **dict(change.settings)}.get("bid_strategy")
    if change.bid_amount_minor is not None and strategy == LOWEST_COST:
        raise _refused(f"bid_strategy {LOWEST_COST} takes no bid_amount.", None)
    budgets = (change.daily_budget_minor, change.lifetime_budget_minor)
    if all(budget is None for budget in budgets):
        return
    if all(budget is not None for budget in budgets):
        raise _refused("Only one of daily_budget and lifetime_budget can be set.", 1885091)
    _check_owner(population, node)
    if (change.daily_budget_minor is None) != (node.daily_budget_minor is None):
        raise _refused("You can't change between a daily and a lifetime budget.", 1885093)
    _check_amount(population, node, change, spent_minor=spent_minor)
    if _budget(node) in budgets:
        return
    recent = [moment for moment in node.budget_changes if now - moment < timedelta(hours=1)]
    if len(recent) >= _CHANGES_AN_HOUR:
        raise ThrottledError(
            "The budget was changed too many times in the last hour.",
            code=_THROTTLED,
            subcode=1487632,
        )


def apply_change(node: Node, change: Change, *, now: datetime, actor: str) -> list[Activity]:
    """Write a checked change into the node; return the log, empty if all was already so."""
    word = _EVENT_NAMES[node.level]
    log: list[Activity] = []

    def note(event: str, before: object, after: object) -> None:
        node.updated = now
        log.append(
            Activity(
                now,
                node.account,
                event,
                actor,
                node.id,
                node.name,
                node.level,
                str(before),
                str(after),
            )
        )

    if change.status is not None and change.status != node.status:
        note(f"update_{word}_run_status", node.status, change.status)
        if change.status == "PAUSED":
            node.paused_at, node.paused_by = now, actor
        node.status = change.status
    for setting in ("daily_budget_minor", "lifetime_budget_minor"):
        after = getattr(change, setting)
        if after is not None and after != getattr(node, setting):
            note(f"update_{word}_budget", getattr(node, setting), after)
            node.budget_changes = [*node.budget_changes[-_CHANGES_AN_HOUR:], now]
            setattr(node, setting, after)
    if change.bid_amount_minor is not None and change.bid_amount_minor != node.bid_amount_minor:
        note(f"update_{word}_bid_info", node.bid_amount_minor, change.bid_amount_minor)
        node.bid_amount_minor = change.bid_amount_minor
    if change.name is not None and change.name != node.name:
        note(f"update_{word}_name", node.name, change.name)
        node.name = change.name
    for setting, wanted in change.settings:
        if node.settings.get(setting) != wanted:
            note(_SETTING_EVENTS[setting], node.settings.get(setting), wanted)
            node.settings = {**node.settings, setting: wanted}
    return log


def effective_status(population: Population, node: Node) -> str:
    """Return the status people see: a parent's pause shows in its children."""
    if node.status != "ACTIVE":
        return node.status
    if node.level is EntityType.CAMPAIGN:
        return "ACTIVE"
    if node.level is EntityType.ADSET:
        return (
            "ACTIVE" if population.campaigns[node.parent].status == "ACTIVE" else "CAMPAIGN_PAUSED"
        )
    if node.review != "APPROVED":
        return node.review
    adset = population.adsets[node.parent]
    if adset.status != "ACTIVE":
        return "ADSET_PAUSED"
    return "ACTIVE" if population.campaigns[adset.parent].status == "ACTIVE" else "CAMPAIGN_PAUSED"


def minimum_budget(population: Population, node: Node) -> int:
    """Return the least daily budget of the account in minor units."""
    account = population.accounts[node.account]
    return minor(account.min_daily_budget, account)


def _check_owner(population: Population, node: Node) -> None:
    if node.level is EntityType.AD:
        raise _refused("An ad has no budget of its own.", None)
    if (
        node.level is EntityType.ADSET
        and population.campaigns[node.parent].daily_budget_minor is not None
    ):
        raise _refused(
            "You can only set an ad set budget or a campaign budget, "
            "and this campaign has a campaign budget.",
            1885621,
        )
    if node.level is EntityType.CAMPAIGN and node.daily_budget_minor is None:
        raise _refused("Budgets of this campaign are set on its ad sets.", 1885621)


def _check_amount(population: Population, node: Node, change: Change, *, spent_minor: int) -> None:
    least = minimum_budget(population, node)
    amount = (
        change.daily_budget_minor
        if change.lifetime_budget_minor is None
        else change.lifetime_budget_minor
    )
    if amount is None or amount < least:
        raise _refused(f"Your budget is too low: the minimum is {least}.", 1885272)
    if change.lifetime_budget_minor is not None and amount < _LOWEST_LIFETIME_SHARE * spent_minor:
        raise _refused(
            "A lifetime budget must be at least 10% greater than what was spent.", 1885090
        )


def _budget(node: Node) -> int | None:
    return (
        node.daily_budget_minor
        if node.lifetime_budget_minor is None
        else node.lifetime_budget_minor
    )


def _refused(message: str, subcode: int | None) -> PlatformError:
    return RefusedChangeError(message, code=_BAD_PARAMETER, subcode=subcode)
