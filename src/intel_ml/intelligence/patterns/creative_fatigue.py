"""How often people can see this account's ads before they tire of them (§9.1).

Each ad is judged by itself (`intelligence.fatigue`), then the tired ones tell at which frequency
the account's CTR starts to fall. Ads are never pooled into one correlation: old ads with a high
frequency and new ones with a high CTR would fake one.

Reads   a frame of days: entity_id, day, ctr, frequency.
Gives   a `Pattern` of type creative_fatigue, or None.
Never   counts an ad with fewer than seven known days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intel_ml.intelligence.confidence import confidence
from intel_ml.intelligence.fatigue import Fatigue, fatigue
from intel_ml.intelligence.patterns.pattern import Pattern

if TYPE_CHECKING:
    import pandas as pd

TYPE = "creative_fatigue"
MIN_ADS = 3


def learn(days: pd.DataFrame) -> Pattern | None:
    """Return when this account's ads tire, None unless three could be judged and one is tired."""
    judged: dict[str, Fatigue] = {}
    for entity, part in days.sort_values("day").groupby("entity_id", sort=True):
        found = fatigue([float(v) for v in part["ctr"]], [float(v) for v in part["frequency"]])
        if found is not None:
            judged[str(entity)] = found
    tired = {entity: found for entity, found in judged.items() if found.is_detected}
    if len(judged) < MIN_ADS or not tired:
        return None
    at = [f.frequency_at_decline for f in tired.values() if f.frequency_at_decline is not None]
    slopes = [
        f.decline_per_frequency for f in tired.values() if f.decline_per_frequency is not None
    ]
    lives = [f.days_until_decline for f in tired.values() if f.days_until_decline is not None]
    low, high = np.percentile(at, (25, 75)).tolist() if at else (None, None)
    data = {
        "type": TYPE,
        "avg_frequency_before_decline": float(np.mean(at)) if at else None,
        "frequency_quartiles": [low, high],
        "ctr_decline_rate": float(np.mean(slopes)) if slopes else None,
        "typical_lifespan_days": int(np.median(lives)) if lives else None,
        "tired_ads": sorted(tired),
        "judged_ads": len(judged),
    }
    spread = float(np.std(at) / np.mean(at)) if len(at) > 1 else 1.0
    observed = sum(found.days for found in judged.values())
    span = int(days["day"].nunique())
    return Pattern(TYPE, data, confidence(observed, std_dev=spread, time_span_days=span), observed)
