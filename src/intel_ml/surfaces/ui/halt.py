"""Whether an approved change would be made now, and if not, why: the banner over the queue.

Reads   the kill switch and whether this installation has an executor that may act.
Gives   a sentence, or nothing while changes are made.
Never   lets an approver believe that a change is on its way when it waits.
"""

from __future__ import annotations

from dataclasses import replace

from intel_ml.core.actions import ActionStatus
from intel_ml.operations.switches import halted, switch
from intel_ml.reporting.cards import Card
from intel_ml.surfaces.ui.visits import Visit
from intel_ml.surfaces.ui.wording import safe

EXECUTOR_OFF = "the executor is off here (ENABLE_ACTION_EXECUTOR=false)"


def stopped(visit: Visit) -> str | None:
    """Return why no change is made at present, None while changes are made."""
    return halted(switch(visit.session)) if visit.executes else EXECUTOR_OFF


def halt_html(visit: Visit) -> str:
    """Return what stands over the queue while nothing is changed, empty otherwise."""
    why = stopped(visit)
    if why is None:
        return ""
    said = safe(f"{why[:1].upper()}{why[1:]}.", longest=300)
    return (
        f"<span>⚠ <b>Nothing is changed at present.</b> {said} "
        "You can decide as usual: what you approve waits.</span>"
    )


def as_it_stands(visit: Visit, card: Card) -> Card:
    """Return the card; one that is approved says so where no executor will take it up."""
    if visit.executes or card.status is not ActionStatus.APPROVED:
        return card
    by = f" by {card.decided_by}" if card.decided_by else ""
    return replace(
        card, says=f"Approved{by}. Not made yet: {EXECUTOR_OFF}. It waits until it is on."
    )
