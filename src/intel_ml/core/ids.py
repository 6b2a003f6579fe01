"""Who or what a fact is about: typed ids that do not mix.

Reads   strings from the outside.
Gives   `AdAccountId`, `EntityId`, `EntityType`, `Entity`.
Never   accepts an id that does not look like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from intel_ml.core.errors import InvalidValueError

AdAccountId = NewType("AdAccountId", str)
EntityId = NewType("EntityId", str)
DecisionId = NewType("DecisionId", str)

_ACCOUNT = re.compile(r"act_[A-Za-z0-9_]{1,40}")
_ENTITY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class EntityType(StrEnum):
    """The three levels of an ad account, as Meta spells them."""

    CAMPAIGN = "campaign"
    ADSET = "adset"
    AD = "ad"


#: What people read on a page, in place of Meta's spelling.
LEVEL_NAMES = {
    EntityType.CAMPAIGN: "campaign",
    EntityType.ADSET: "ad set",
    EntityType.AD: "ad",
}


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """One campaign, ad set or ad of one account."""

    account: AdAccountId
    type: EntityType
    id: EntityId

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


def account_id(text: str) -> AdAccountId:
    """Return `text` as an account id.

    >>> account_id("act_101")
    'act_101'
    """
    if not _ACCOUNT.fullmatch(text):
        raise InvalidValueError(
            path="account", problem=f"'{text[:60]}' is not an account id", hint="Write act_ID."
        )
    return AdAccountId(text)


def entity_id(text: str) -> EntityId:
    """Return `text` as the id of a campaign, ad set or ad."""
    if not _ENTITY.fullmatch(text):
        raise InvalidValueError(path="entity_id", problem=f"'{text[:60]}' is not an entity id")
    return EntityId(text)
