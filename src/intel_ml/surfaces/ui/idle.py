"""What an empty queue says: nothing waits, and what was looked at last.

Reads   the latest cycle of each account.
Gives   a few calm sentences.
Never   leaves a page blank.
"""

from __future__ import annotations

from intel_ml.core.days import time_zone
from intel_ml.reporting.dashboard import last_cycle
from intel_ml.surfaces.ui.sheets import NO_ACCOUNT
from intel_ml.surfaces.ui.visits import Visit
from intel_ml.surfaces.ui.wording import safe


def idle_html(visit: Visit, account_id: str | None) -> str:
    """Return why the queue is empty, for one account or for all of them."""
    looked = []
    for account in visit.accounts:
        if account_id in (None, account.id):
            cycle = last_cycle(visit.session, account.id)
            if cycle is None:
                says = "not looked at yet; the first look is within the hour."
            else:
                at = cycle.at.astimezone(time_zone(account.time_zone))
                fired = f"a rule fired for {cycle.hits:,}" if cycle.hits else "no rule fired"
                says = f"{cycle.says} At {at:%H:%M}, {fired}."
            looked.append(f"<li>{safe(account.name, longest=60)}: {safe(says)}</li>")
    if not looked:
        return NO_ACCOUNT
    return f'<div class="empty"><b>Nothing waits for you.</b><ul>{"".join(looked)}</ul></div>'
