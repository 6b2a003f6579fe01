"""What deciders are worth beside each other: values, regret and the share of the oracle's gain.

    value(d)  = mean over seeds of profit(d) - profit(do-nothing), same seed, same luck
    regret(d) = mean of profit(oracle) - profit(d)
    share(d)  = sum of (profit(d) - profit(rules)) / sum of (profit(oracle) - profit(rules))

Intervals are Student's t over seeds of paired differences; that of the share is the ratio
estimator's, s(d - share * b) / (mean(b) sqrt(n)) (Cochran, 1977, "Sampling Techniques", ch. 6). The
share is unknown where the oracle's gain over the rules is not clearly above zero: there is nothing
to have a share of. Accounts in different currencies are added at their targets: a result that one
may pay 20 USD for counts like one that another may pay 25 EUR for.

Reads   profits and spend by decider, seed and day.
Gives   `Results`: lines of a table, a frame, plain values.
Never   hides a seed: every number is an average over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.intervals import LEVEL, Interval, of_mean, t_quantile
from intel_ml.learning.simulation.deciders import NOTHING, ORACLE, RANDOM, RULES

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What one decider made: (seeds, days) of profit and spend in one currency's major units."""

    profit: Floats
    spend: Floats
    done: Mapping[str, float]

    @property
    def total(self) -> Floats:
        """Profit of each seed."""
        total: Floats = self.profit.sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class Line:
    """One decider's row of the table; `percent` is its value in percent of do-nothing's spend."""

    decider: str
    value: Interval
    percent: float
    against_rules: Interval
    against_random: Interval
    regret: Interval
    share: Interval | None
    changes: float


@dataclass(frozen=True)
class Results:
    """Deciders of one world, beside each other on the same seeds."""

    policy: str
    world: str
    start: datetime
    days: int
    seeds: tuple[int, ...]
    currency: str
    approver: str | None
    outcomes: Mapping[str, Outcomes]

    @property
    def lines(self) -> tuple[Line, ...]:
        """One line a decider, in the order of the table."""
        return tuple(self._line(name) for name in self.outcomes)

    @property
    def share(self) -> Interval | None:
        """The policy's share of the oracle's gain over the rules."""
        return self.share_of(self.policy)

    def line(self, decider: str) -> Line:
        """Return one decider's line."""
        return self._line(decider)

    def gain(self, decider: str, *, over: str) -> Interval:
        """Return what one decider made more than another, on the same seeds."""
        return of_mean(self.outcomes[decider].total - self.outcomes[over].total)

    def share_of(self, decider: str) -> Interval | None:
        """Return the share of the oracle's gain over the rules; None where there is none."""
        rules = self.outcomes[RULES].total
        return share_of_gain(
            self.outcomes[decider].total - rules, self.outcomes[ORACLE].total - rules
        )

    def table(self) -> pd.DataFrame:
        """Return the lines as a frame: money in `currency`, averages over seeds."""
        import pandas as pd  # noqa: PLC0415  # heavy

        return pd.DataFrame([_flat(line) for line in self.lines]).set_index("decider")

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; what is unknown or unbounded is null."""
        return {
            "policy": self.policy,
            "world": self.world,
            "start": self.start.isoformat(),
            "days": self.days,
            "seeds": list(self.seeds),
            "currency": self.currency,
            "approver": self.approver,
            "deciders": [
                {name: _plain(value) for name, value in _flat(line).items()}
                | {"done": dict(self.outcomes[line.decider].done)}
                for line in self.lines
            ],
        }

    def curve(self, decider: str) -> Floats:
        """Return value by seed and day, added up: what it made until then more than nothing did."""
        moved = self.outcomes[decider].profit - self.outcomes[NOTHING].profit
        return np.asarray(moved.cumsum(axis=1))

    def _line(self, name: str) -> Line:
        value = self.gain(name, over=NOTHING)
        spend = float(self.outcomes[NOTHING].spend.sum(axis=1).mean())
        done = self.outcomes[name].done
        return Line(
            decider=name,
            value=value,
            percent=100 * value.value / spend if spend else math.nan,
            against_rules=self.gain(name, over=RULES),
            against_random=self.gain(name, over=RANDOM),
            regret=of_mean(self.outcomes[ORACLE].total - self.outcomes[name].total),
            share=self.share_of(name),
            changes=done.get("executed", 0.0),
        )


def share_of_gain(part: Floats, whole: Floats) -> Interval | None:
    """Return sum(part) / sum(whole) with its interval; None where the whole isn't above zero.

    With a single seed there is no interval, and any gain counts as one.

    >>> whole = np.array([2.0, 2.2, 2.4])
    >>> share_of_gain(whole / 2, whole)
    Interval(value=0.5, low=0.5, high=0.5)
    """
    gain = of_mean(whole)
    if gain.value <= 0 or (gain.low <= 0 and len(whole) > 1):
        return None
    share = float(part.sum() / whole.sum())
    if len(whole) == 1:
        return Interval(share, -math.inf, math.inf)
    spread = float((part - share * whole).std(ddof=1)) / float(whole.mean())
    reach = t_quantile(LEVEL, len(whole) - 1) * spread / math.sqrt(len(whole))
    return Interval(share, share - reach, share + reach)


def _flat(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {"decider": line.decider, "percent_of_spend": line.percent}
    for name in ("value", "against_rules", "against_random", "regret", "share"):
        one: Interval | None = getattr(line, name)
        told[name] = math.nan if one is None else one.value
        told[f"{name}_low"] = math.nan if one is None else one.low
        told[f"{name}_high"] = math.nan if one is None else one.high
    return told | {"changes": line.changes}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
