"""What could go on without a person, as a page and as a picture.

Reads   what the verdicts of each cell prove (`learning.cells.Earned`), or of one set of decisions.
Gives   a standalone HTML page; figures of risk and share by sureness, and of calibration.
Never   says "may" where nothing is proven.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.cells import CellMode, Earned
from intel_ml.learning.evaluation.autonomy import FIRST_LOOK, Autonomy
from intel_ml.learning.evaluation.intervals import of_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.4rem .7rem;text-align:left;"
    "border-bottom:1px solid #ddd}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e6e6}"
    "th,td{border-color:#3a3d44}}"
)
_BINS, _ENDS = 8, ("low", "high")
_COLUMNS = ("Archetype", "Action", "Now", "Judged", "By itself", "Disagreed", "What that proves")


def page(found: Sequence[Earned], *, account: str) -> str:
    """Return the evidence of an account's cells as one page."""
    rows = "".join(_row(one) for one in found)
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    empty = "" if found else "<p>Nobody has judged a proposal that the policy agreed with yet.</p>"
    return (
        f"<!doctype html><meta charset='utf-8'><title>Autonomy of {escape(account)}</title>"
        f"<style>{_STYLE}</style><h1>What could run by itself in {escape(account)}</h1>{empty}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def next_step(one: Earned) -> str:
    """Return what is missing, what can be granted, or by whose leave it runs, in plain words."""
    cell, gate = one.cell, one.found
    if cell is not None and cell.mode is CellMode.AUTOMATIC:
        granted = cell.evidence.get("model")
        if one.model is not None and granted != one.model:
            said = f"A person is asked again: {one.model} speaks now, {granted} had earned it."
            return f"{said} So has this one; it may be let too:" if gate.has_passed else said
        return f"Granted by {cell.set_by}: {cell.reason.rstrip('.')}."
    if gate.has_passed:
        return "Proven. A person with the command line may let it:"
    if gate.n < FIRST_LOOK:
        missing = FIRST_LOOK - gate.n
        return f"{missing} more verdict{'s' if missing > 1 else ''} before it can be proven."
    risk = f"{gate.promise.risk:.0%}"
    return (
        f"People disagreed too often to promise {risk} among what would run; "
        f"looked at again at {2 * gate.n:,} verdicts."
    )


def command(one: Earned) -> str:
    """Return the command that grants a cell what it has proven, or takes it back; else nothing."""
    is_granted = one.mode is CellMode.AUTOMATIC
    if is_granted and one.cell is not None and one.found.has_passed:
        # What another version was granted lets nothing of this one pass.
        is_granted = one.cell.evidence.get("model") == one.model
    if not (is_granted or one.found.has_passed):
        return ""
    verb = "revoke" if is_granted else "grant"
    where = f" --archetype {shlex.quote(one.archetype)}" if one.archetype else ""
    return f'intel-ml autonomy {verb} {one.account_id} {one.arm}{where} --reason "…"'


def walk(found: Autonomy) -> Figure:
    """Return the walk from strict to loose: the share that would run, and its disagreement."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to load

    picture = Figure(figsize=(7.5, 4), layout="constrained")
    axes = picture.subplots()
    steps = [step for step in found.steps if step.n]
    shares = [100 * step.n / found.n for step in steps]
    risks = [100 * step.disagreed / step.n for step in steps]
    axes.plot(shares, risks, ".-", color="#2b6cb0", label="disagreed with, of what would run")
    axes.axhline(100 * found.promise.risk, color="#c53030", ls="--", label="promised at most")
    if found.threshold is not None:
        axes.axvline(100 * found.coverage, color="#2f855a", label="proven up to here")
    axes.set(xlabel="runs by itself, % of decisions", ylabel="disagreement, %", xlim=(0, 100))
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", frameon=False)
    return picture


def calibration(sure: NDArray[np.float64], agreed: NDArray[np.bool_]) -> Figure:
    """Return how sure it was beside how often the person agreed, in bins of as many."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to load

    picture = Figure(figsize=(5, 4.5), layout="constrained")
    axes = picture.subplots()
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    told = [100 * float(sure[part].mean()) for part in parts]
    happened = [of_share(float(agreed[part].sum()), len(part)) for part in parts]
    middles = np.array([100 * agreed[part].mean() for part in parts])
    lows, highs = (np.array([100 * getattr(one, end) for one in happened]) for end in _ENDS)
    spread = [np.maximum(middles - lows, 0), np.maximum(highs - middles, 0)]
    axes.plot([0, 100], [0, 100], color="#999999", lw=1, label="as sure as right")
    axes.errorbar(told, middles, yerr=spread, fmt="o", color="#2b6cb0", label="what happened")
    axes.set(xlabel="foreseen: approves, %", ylabel="approved, %", xlim=(0, 100), ylim=(0, 101))
    axes.legend(loc="upper left", frameon=False)
    return picture


def _row(one: Earned) -> str:
    gate = one.found
    now = one.mode.value if one.mode else "as the account"
    says = gate.text
    if one.asked:
        says = f"{one.disagreed} of {one.asked} looked at since were disagreed with. {says}"
    return (
        f"<tr><td>{escape(one.archetype or 'none')}</td><td>{escape(one.arm)}</td>"
        f"<td>{escape(now)}</td><td class='n'>{gate.n:,}</td>"
        f"<td class='n'>{gate.coverage:.0%}</td>"
        f"<td class='n'>{gate.disagreed:,} of {gate.automatic:,}</td><td>{escape(says)}</td></tr>"
    )
