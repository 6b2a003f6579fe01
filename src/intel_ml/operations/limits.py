"""How much may be done without asking again.

The limits that every proposal and every change respect.

Reads   nothing; the settings fill it at the door.
Gives   `Limits`.
Never   is loosened by a model, a rule or a person's click.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """The safety limits of one installation.

    Hours and percentages as in the plan's environment controls. `acts_alone`: whether anything may
    go on without a person at all; `audit_share` of what may is asked about all the same. Of an
    account's day, `explorations_per_day` changes are tried by chance at most, and together they
    move no more than `exploration_spend_share` of what it spends a day.
    """

    max_actions_per_hour: int = 10
    require_approval_days: int = 30
    min_confidence_for_auto: float = 0.85
    max_budget_change_percent: int = 30
    max_daily_change_percent: int | None = None
    cooldown_hours: float = 4
    approval_valid_hours: float = 24
    holdout_share: float = 0.10
    holdout_hours: float = 72
    exploration_share: float = 0.0
    explorations_per_day: int = 3
    exploration_spend_share: float = 0.05
    stale_after_hours: float = 2
    max_budget_changes_per_hour: int = 3
    acts_alone: bool = False
    audit_share: float = 0.10

    @property
    def daily_change_percent(self) -> int:
        """How far one account day may move a budget.

        Twice a single change, unless said otherwise.
        """
        told = self.max_daily_change_percent
        return 2 * self.max_budget_change_percent if told is None else told

    @property
    def cooldown(self) -> timedelta:
        """How long an entity is left alone after an action on it."""
        return timedelta(hours=self.cooldown_hours)

    @property
    def approval_valid(self) -> timedelta:
        """How long a proposal may wait for an answer, and an approval for its execution."""
        return timedelta(hours=self.approval_valid_hours)

    @property
    def held_out(self) -> timedelta:
        """How long a unit that was drawn to be left alone stays so.

        As long as its outcome is measured.
        """
        return timedelta(hours=self.holdout_hours)

    @property
    def stale_after(self) -> timedelta:
        """How old the data behind a change may be."""
        return timedelta(hours=self.stale_after_hours)
