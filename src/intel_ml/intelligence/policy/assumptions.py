"""What the response policy assumes until a log says otherwise, and how careful it is.

Reads   nothing.
Gives   `Assumptions`, a frozen value that is checked.
Never   depends on a currency: money is counted in targets.

`worth` is what a result is worth in targets; `base` and `slope` say how crowded audiences saturate;
`half_life` is after how many days evidence of a level counts half, `curve_half_life` the same of a
curve. Two weeks: good and bad spells pass in days, and who follows them scales after luck and cuts
before it.

`floor` is what any allowed arm keeps, `pause_floor` a pause that isn't wise. Both are far below
those of policies that learn from rewards: nothing is learned from a draw here, and in an account
that grows by a fifth a day one budget cut at random costs as much as a week of good decisions,
one pause the ad set. A log drawn so says little of arms that were not chosen: what they would have
earned is measured by the platform's own exploration and hold-out (`operations.limits`).
"""

from __future__ import annotations

from dataclasses import dataclass

from intel_ml.core.errors import InvalidValueError
from intel_ml.intelligence.policy.settings import MAX_FLOOR
from intel_ml.intelligence.policy.yields import Belief


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Numbers by name, as `make_policy("response", …)` takes them."""

    worth: float = 1.25
    base: float = 0.15
    slope: float = 0.9
    spread: float = 0.15
    most_elastic: float = 0.8
    half_life: float = 14.0
    curve_half_life: float = 30.0
    spell: float = 0.05
    reported: float = 0.92
    hope: float = 0.25
    hopeless: float = 0.7
    sibling_margin: float = 0.8
    pause_sure: float = 0.9
    temperature: float = 0.005
    floor: float = 0.0003
    pause_floor: float = 0.0001
    seed: int = 0

    def __post_init__(self) -> None:
        above = (
            *(self.worth, self.half_life, self.curve_half_life),
            *(self.spread, self.reported, self.pause_floor),
        )
        if min(above) <= 0:
            raise InvalidValueError(path="worth", problem="must be above 0, like half_life")
        if not 0 <= self.base <= self.most_elastic < 1:
            raise InvalidValueError(path="base", problem="0 <= base <= most_elastic < 1")
        if min(self.slope, self.spell, self.hopeless) < 0:
            raise InvalidValueError(path="slope", problem="slope, spell, hopeless are not below 0")
        if not 0 < self.pause_sure < 1:
            raise InvalidValueError(path="pause_sure", problem="must be between 0 and 1")
        if not 0 < self.pause_floor <= self.floor <= MAX_FLOOR:
            raise InvalidValueError(
                path="floor",
                problem=f"0 < pause_floor <= floor <= {MAX_FLOOR:.3f}",
                hint="A choice without a floor cannot be judged from its log.",
            )
        if self.temperature <= 0:
            raise InvalidValueError(path="temperature", problem="must be above 0")

    @property
    def belief(self) -> Belief:
        """How evidence counts."""
        return Belief(
            half_life=self.half_life,
            curve_half_life=self.curve_half_life,
            spell=self.spell,
            reported=self.reported,
            spread=self.spread,
        )
