"""A campaign's bid strategy, which its ad sets share, with the bids it needs.

Reads   a world, a campaign with a budget of its own, a strategy, bids by ad set.
Gives   the strategy on the campaign's ad sets, and their bids.
Never   leaves an ad set under a cap or a cost without a bid, and changes nothing when it refuses.

Marketing API, "Advantage campaign budget": `adset_bid_amounts` goes with `bid_strategy` where that
is LOWEST_COST_WITH_BID_CAP or COST_CAP.
"""

from __future__ import annotations

from collections.abc import Mapping

from intel_ml.core.errors import RefusedChangeError
from intel_ml.data.sandbox.changes import HIDDEN, Change
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.spending import NEEDS_BID
from intel_ml.data.sandbox.world import World

_BAD_PARAMETER = 100


def changes_of_strategy(
    world: World, campaign: Node, *, strategy: str | None, bids: Mapping[str, int]
) -> dict[str, Change]:
    """Return the change of each ad set by its id, or raise what is missing or too much."""
    if bids and strategy not in NEEDS_BID:
        raise _refused("adset_bid_amounts goes with a bid_strategy that needs bids.")
    if strategy is None:
        return {}
    row = world.population.rows[campaign.id][1]
    adsets = [
        node for node in world.population.adsets if node.parent == row and node.status not in HIDDEN
    ]
    if not set(bids) <= {node.id for node in adsets}:
        raise _refused("adset_bid_amounts names ad sets that are not in the campaign.")
    if strategy in NEEDS_BID and any(
        node.id not in bids and node.bid_amount_minor is None for node in adsets
    ):
        raise _refused(f"bid_strategy {strategy} needs adset_bid_amounts for every ad set.")
    return {
        node.id: Change(bid_amount_minor=bids.get(node.id), settings=(("bid_strategy", strategy),))
        for node in adsets
    }


def _refused(message: str) -> RefusedChangeError:
    return RefusedChangeError(message, code=_BAD_PARAMETER)
