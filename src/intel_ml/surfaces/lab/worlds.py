"""A world of the sandbox for studies, with the oracle that no real account has.

Reads   a world file.
Gives   `StudyWorld`: the sandbox's `World`, its ad sets as a frame, the true effect of each arm.
Never   changes the world when the oracle is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intel_ml.core.actions import ARMS, action_of
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox import World

if TYPE_CHECKING:
    import pandas as pd

_HOURS = 72


class StudyWorld(World):
    """A simulated platform that also knows the truth.

    >>> from datetime import UTC, datetime
    >>> from intel_ml.data.sandbox.worldfile import load_world_file
    >>> world = StudyWorld(load_world_file("thin"), start=datetime(2026, 11, 1, tzinfo=UTC))
    >>> list(world.oracle(world.adsets().index[0], hours=1).columns)
    ['spend', 'conversions', 'value', 'profit']
    """

    def __repr__(self) -> str:
        count = len(self.population.adsets)
        return f"World({self.name}, {count} ad sets, {self.now:%Y-%m-%d %H:%M} UTC)"

    def adsets(self) -> pd.DataFrame:
        """Return one row an ad set: account, name, status, daily budget in its own currency."""
        import pandas as pd  # noqa: PLC0415  # heavy

        rows = []
        for node in self.population.adsets:
            account = self.population.accounts[node.account]
            budget, offset = node.daily_budget_minor, currency_offset(account.currency)
            rows.append(
                {
                    "adset_id": node.id,
                    "ad_account_id": f"act_{account.id}",
                    "name": node.name,
                    "status": node.status,
                    "currency": account.currency,
                    "daily_budget": None if budget is None else budget / offset,
                }
            )
        return pd.DataFrame(rows).set_index("adset_id")

    def oracle(self, adset_id: str, *, hours: int = _HOURS) -> pd.DataFrame:
        """Return what each arm truly changes in the account over the next hours.

        Differences to leaving the ad set alone, money in the account's currency; an arm the
        platform refuses is left out.
        """
        import pandas as pd  # noqa: PLC0415  # heavy

        from intel_ml.data.sandbox import oracle  # noqa: PLC0415  # only when asked

        account = self.population.accounts[self.node(adset_id).account]
        entity = Entity(AdAccountId(f"act_{account.id}"), EntityType.ADSET, EntityId(adset_id))
        actions = {action_of(arm): arm.value for arm in ARMS}
        found = oracle.effects(self, entity, actions=list(actions), hours=hours)
        offset = currency_offset(account.currency)
        rows = {
            actions[action]: {
                "spend": effect.spend_minor / offset,
                "conversions": effect.conversions,
                "value": effect.value_minor / offset,
                "profit": effect.profit_minor / offset,
            }
            for action, effect in found.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")
