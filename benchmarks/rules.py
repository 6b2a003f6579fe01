"""All rules against many entities: how many entity-rules a second, beside plain numpy masks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from benchmarks.measuring import Row, ratio, row, side_by_side
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States
from intel_ml.judgement.rules import evaluate, parse_rule

ENTITIES, RULES = 10_000, 50


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    states = _states()
    rules = [parse_rule(_rule(number)) for number in range(RULES)]
    ours, bare = side_by_side(lambda: evaluate(rules, states), lambda: _bare(states), repeats=100)
    count = ENTITIES * RULES
    rate = count / float(np.median(ours))
    note = f"{rate / 1e6:,.0f} M entity-rules a second; {ratio(ours, bare)} bare numpy masks"
    yield row(f"{RULES} rules on {ENTITIES:,} entities, no hits explained", ours, note=note)


def _states() -> States:
    source = np.random.default_rng(1)
    columns = {
        name: source.lognormal(2, 1, ENTITIES)
        for name in ("spend", "clicks", "impressions", "ctr", "frequency")
    }
    columns["spend"][::7] = np.nan
    entities = tuple(
        Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId(str(n))) for n in range(ENTITIES)
    )
    return States(
        entities=entities, moments=(datetime(2026, 1, 1, tzinfo=UTC),) * ENTITIES, columns=columns
    )


def _rule(number: int) -> dict[str, object]:
    return {
        "name": f"rule {number}",
        "category": "loss_prevention",
        "conditions": {
            "operator": "AND",
            "rules": [
                {"field": "spend", "operator": ">", "value": 1e6 + number},
                {"field": "clicks", "operator": "<", "value": 5 + number},
                {"field": "frequency", "operator": ">=", "value": 3 + number / RULES},
            ],
        },
        "action_type": "pause",
        "execution_mode": "approval_required",
        "applies_to": "adset",
    }


def _bare(states: States) -> None:
    spend, clicks, frequency = (states.columns[n] for n in ("spend", "clicks", "frequency"))
    for number in range(RULES):
        with np.errstate(invalid="ignore"):
            _ = (spend > 1e6 + number) & (clicks < 5 + number) & (frequency >= 3 + number / RULES)
