"""What may run by itself, as a table: each archetype and action, what is proven, what is missing.

Reads   a `Dashboard`.
Gives   HTML.
Never   offers a button for it: autonomy is granted on the command line, with a reason.
"""

from __future__ import annotations

from intel_ml.learning.cells import CellMode, Earned
from intel_ml.reporting.autonomy import command, next_step
from intel_ml.reporting.dashboard import Dashboard
from intel_ml.surfaces.ui.card_html import ARM_WORDS
from intel_ml.surfaces.ui.wording import DASH, ago, percent, safe

_MODES = {
    None: "as the account",
    CellMode.SHADOW: "logged only",
    CellMode.LIVE: "you decide",
    CellMode.AUTOMATIC: "runs by itself",
}
_COLUMNS = (
    ("Archetype", ""),
    ("Action", ""),
    ("Now", ""),
    ("Judged", ' class="num"'),
    ("Could run", ' class="num"'),
    ("Disagreed since", ' class="num"'),
    ("What next", ""),
)


def autonomy_html(board: Dashboard) -> str:
    """Return the panel; what nobody judged yet has a sentence in its place."""
    told = f"<p>{safe(board.agreed.text, longest=300)}</p>" if board.agreed else ""
    if not board.cells:
        return _panel(
            f'{told}<p class="quiet">Nothing yet: nobody has judged a proposal that the policy '
            "agreed with. Verdicts on those prove what it may do alone.</p>"
        )
    head = "".join(f"<th{css}>{name}</th>" for name, css in _COLUMNS)
    rows = "".join(_row(one, board) for one in board.cells)
    return _panel(
        f'{told}<table class="rules cells"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        "</table>"
    )


def _panel(body: str) -> str:
    return f'<section class="panel wide" id="alone"><h2>What may run by itself</h2>{body}</section>'


def _row(one: Earned, board: Dashboard) -> str:
    gate, is_granted = one.found, one.mode is CellMode.AUTOMATIC
    now = _MODES[one.mode]
    if is_granted:
        now = f'<span class="tag accent">{now}</span>'
    since = f"{one.disagreed:,} of {one.asked:,}" if is_granted else DASH
    share = percent(gate.coverage) if gate.has_passed else DASH
    return (
        f"<tr><td><b>{safe(one.archetype or 'No archetype', longest=80)}</b></td>"
        f'<td data-name="Action">{safe(ARM_WORDS[one.arm])}</td>'
        f'<td data-name="Now">{now}</td>'
        f'<td class="num" data-name="Judged">{gate.n:,}</td>'
        f'<td class="num" data-name="Could run">{share}</td>'
        f'<td class="num" data-name="Disagreed since">{since}</td>'
        f'<td data-name="What next">{_next(one, board)}</td></tr>'
    )


def _next(one: Earned, board: Dashboard) -> str:
    says = safe(next_step(one), longest=300)
    if one.cell is not None and one.mode is CellMode.AUTOMATIC:
        says += f" Since {ago(one.cell.since, now=board.now, zone=board.account.time_zone)}."
    told = command(one)
    return f"{says} <code>{safe(told, longest=300)}</code>" if told else says
