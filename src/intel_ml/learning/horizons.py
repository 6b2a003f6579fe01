"""What an entity spent and sold in the hours after an action, and in as many hours before it.

    delivered(s, e] = sum of the days from s to e, less the day so far at s

A state looks back three account days. After 72 hours nothing of the time before is left in it, so
two states can be compared. After 24 or 48 hours they would overlap: the shorter horizons compare
these sums instead, which share no hour. They are sooner known and noisier, and more of what was
bought is still to be attributed; rewards of different horizons are never compared.

Reads   snapshots and closed days, as known at the end of each span or at a later moment
        (`readings`).
Gives   `HORIZONS`; spend (major units) and conversions by `Span`.
Never   takes the unknown for zero: a span is unknown where a day in it is, where no row tells of
        it, and where nobody looked at the account on the day it begins or ends. One of the two may
        be told by its closed day; where both are, before and after would be the same day's mean.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day
from intel_ml.learning.readings import Reading, Sums, read

HORIZONS = (24, 48, 72)
#: What teaches unless a model asks for another one; the longest, so nothing of before is in it.
HORIZON_HOURS = 72
_TOLD = ("spend", "conversions")


@dataclass(frozen=True, slots=True)
class Span:
    """The hours of one entity from `start` to `end`; as known at `known_at`, else at the end."""

    entity_type: str
    entity_id: str
    start: datetime
    end: datetime
    known_at: datetime | None = None


def delivered(
    connection: Connection, account: Account, spans: Collection[Span]
) -> dict[Span, dict[str, float | None]]:
    """Return spend and conversions of each span, None where they are unknown."""
    pairs = {
        span: (_until(account, span, span.start), _until(account, span, span.end)) for span in spans
    }
    sums = read(connection, account, [one for pair in pairs.values() for one in pair])
    return {
        span: {name: _gained(sums[begun], sums[over], name) for name in _TOLD}
        for span, (begun, over) in pairs.items()
    }


def _until(account: Account, span: Span, moment: datetime) -> Reading:
    """Return what had been delivered at a moment since the day began on which the span does."""
    return Reading(
        entity_type=span.entity_type,
        entity_id=span.entity_id,
        first=account_day(span.start, account.time_zone),
        moment=moment,
        known_at=span.end if span.known_at is None else span.known_at,
    )


def _gained(begun: Sums, over: Sums, name: str) -> float | None:
    total = over.values[name]
    first = begun.values[name] if begun.has_rows else 0.0
    is_told = all(one.was_watched or one.is_closed for one in (begun, over))
    if not is_told or not (begun.was_watched or over.was_watched):
        return None
    return None if total is None or first is None else total - first
