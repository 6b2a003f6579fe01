"""Choosing among policies in a notebook: what was compared, which was taken, why.

Reads   candidates by name, the plainest first; a log.
Gives   `Choice`: the policy that was taken, made from the older part; a table, a picture and a
        sentence; `unseen`, the newest part, which neither made nor chose anything and may judge it.
Never   lets the part that judges have a say in the choice.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.core.errors import InvalidValueError
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation.pictures import ACCENT, GRID, INK, QUIET, RIVAL
from intel_ml.learning.gates import MOST_CANDIDATES
from intel_ml.learning.selected import Basis, Candidate, Selection
from intel_ml.learning.selection import select
from intel_ml.learning.unseen import Plan
from intel_ml.surfaces.lab import models, pictures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_NAME = 40
_WIDTH, _ROW, _FRAME = 9.6, 0.62, 1.7
_SMALL, _MIDDLE, _WRAP = 8.5, 9.5, 46
_ROOM = 1.5
_TITLE_WRAP = 112


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidate was taken; `learned_from` and `unseen` are the log, cut at `cut`."""

    selection: Selection
    learned_from: pd.DataFrame = field(repr=False)
    unseen: pd.DataFrame = field(repr=False)
    cut: datetime

    @property
    def policy(self) -> Policy:
        """The policy that was taken, made from all of `learned_from`."""
        return self.selection.policy

    @property
    def name(self) -> str:
        """The name of the candidate that was taken."""
        return self.selection.chosen

    @property
    def why(self) -> str:
        """Why it was taken, in a sentence or two."""
        return self.selection.why

    def table(self) -> pd.DataFrame:
        """Return one row a candidate, in the order listed; what was not measured is unknown."""
        import pandas as pd  # noqa: PLC0415  # heavy

        return pd.DataFrame([self._row(one) for one in self.selection.candidates])

    def figure(self) -> Figure:
        """Return what a decision would have earned by each candidate, and what that means."""
        from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

        found = self.selection.candidates
        picture = Figure(figsize=(_WIDTH, _FRAME + _ROW * len(found)), layout="constrained")
        axes = picture.subplots()
        known = [one for one in found if one.value is not None]
        for row, one in enumerate(found):
            self._draw(axes, row, one)
        if self.selection.done is not None:
            done = self.selection.done
            axes.axvspan(done.low, done.high, color=GRID, alpha=0.6, zorder=0)
            axes.axvline(done.value, color=QUIET, linewidth=1, zorder=1)
            axes.annotate(
                "what was done",
                (done.value, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=_SMALL,
                color=QUIET,
            )
        if known:
            axes.set_xlim(*self._reach())
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:+,.3g}" if value else "0")
        else:
            axes.set_xticks([])
        names = [f"{one.name} (taken)" if one.name == self.name else one.name for one in found]
        axes.set_yticks(range(len(found)), names)
        axes.set_ylim(len(found) - 0.5, -0.5)
        for label, one in zip(axes.get_yticklabels(), found, strict=True):
            label.set_fontweight("bold" if one.name == self.name else "normal")
        below = f"earned a decision, share of the money in play (95 %); {self._on()}"
        axes.set_xlabel(below, fontsize=_MIDDLE, color=INK)
        axes.tick_params(colors=INK, labelsize=_MIDDLE, length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        told = textwrap.fill(self.why, _TITLE_WRAP)
        picture.suptitle(told, fontsize=10.5, color=INK, x=0.01, ha="left")
        return picture

    def __repr__(self) -> str:
        return "\n".join(self.selection.sentences)

    def _repr_html_(self) -> str:
        shown = pictures.table(self.table().set_index("candidate"))
        said = f"<h4>{escape(self.why)}</h4><p>{escape(self._note())}</p>"
        return f"<div>{said}{pictures.embedded(self.figure(), self.why)}{shown._repr_html_()}</div>"

    def _row(self, one: Candidate) -> dict[str, object]:
        value, cautious, behind, support = one.value, one.cautious, one.behind, one.support
        return {
            "candidate": one.name,
            "earns a decision": None if value is None else value.value,
            "at least": None if value is None else value.low,
            "at most": None if value is None else value.high,
            "large weights shrunk": None if cautious is None else cautious.value,
            "behind the best": None if behind is None else behind.value,
            "± standard error": None if behind is None else behind.error,
            "speaks for it, decisions": None if support is None else support.ess,
            "may be asked about": one.asked_about,
            "what that means": self._means(one),
        }

    def _means(self, one: Candidate) -> str:
        """Return what was found of one candidate, in words."""
        if one.refused:
            return one.refused
        taken = "taken" if one.name == self.name else ""
        if one.behind is None:
            alone = "nothing to compare it with" if one.value is not None else "not compared"
            return ", ".join(filter(None, [taken, alone]))
        if one.behind.value == 0 and self.selection.basis is Basis.BEST:
            return taken or "earned just as much"
        if one.behind.value == 0:
            return f"{taken or 'earned most'}, not for certain"
        if one.behind.is_within_one_error:
            return f"{taken}, " * bool(taken) + "cannot be told from the best"
        return f"earned {one.behind.value:.2g} less (± {one.behind.error:.1g})"

    def _draw(self, axes: Axes, row: int, one: Candidate) -> None:
        colour = ACCENT if one.name == self.name else RIVAL
        if one.value is not None:
            reach = [[one.value.value - one.value.low], [one.value.high - one.value.value]]
            axes.errorbar(
                [one.value.value],
                [row],
                xerr=np.nan_to_num(np.array(reach), posinf=0.0).clip(min=0),
                fmt="o",
                color=colour,
                markerfacecolor=colour if one.is_supported else "white",
                ls="--",
                alpha=1.0 if one.is_supported or one.name == self.name else 0.55,
                markersize=6,
                capsize=3,
                linewidth=1.5,
            )
        axes.text(
            1.02,
            row,
            textwrap.fill(self._short(one), _WRAP),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=_SMALL,
            color=INK if one.could_learn and not one.refused else QUIET,
        )

    def _short(self, one: Candidate) -> str:
        """Return what fits beside a row."""
        if one.support is not None and one.refused and one.could_learn:
            told = (
                f"the log hardly shows it: as good as {one.support.ess:,.0f} decisions of its own, "
                f"{one.support.needed:,.0f} are needed"
            )
            return f"taken as first listed; {told}" if one.name == self.name else told
        return self._means(one)

    def _reach(self) -> tuple[float, float]:
        """Return what the picture shows: what was compared in full, of the rest what fits."""
        found = self.selection
        firm = [one.value for one in found.candidates if one.value is not None and one.is_supported]
        firm += [found.done] if found.done is not None else []
        middle = [one.value.value for one in found.candidates if one.value is not None]
        bounds = np.array([edge for one in firm for edge in (one.low, one.high)] + middle)
        bounds = bounds[np.isfinite(bounds)]
        low, high = float(bounds.min()), float(bounds.max())
        spare = max(high - low, 1e-6) * (_ROOM - 1) / 2
        return low - spare, high + spare

    def _on(self) -> str:
        found = self.selection
        return f"{found.decisions:,} decisions about {found.entities:,} entities"

    def _note(self) -> str:
        if not self.selection.decisions:
            return f"It was made from {len(self.learned_from):,} decisions."
        return (
            f"Compared {self._on()}, each foreseen by candidates that had learned from what came "
            f"before it; then it was made anew from all {len(self.learned_from):,}. Who comes out "
            "first was lucky too: what it is worth is judged on the "
            f"{len(self.unseen):,} newest decisions, which had no say in this."
        )


def choose(
    candidates: Mapping[str, Policy], log: pd.DataFrame, *, newest: float, plan: Plan | None = None
) -> Choice:
    """Return which candidate to take, made from all but the `newest` share of a log."""
    _check(candidates)
    parts = models.split(log, newest=newest)
    found = select(candidates, parts.older, plan=plan)
    return Choice(found, parts.older, parts.newer, parts.cut)


def _check(candidates: Mapping[str, Policy]) -> None:
    if len(candidates) > MOST_CANDIDATES:
        raise InvalidValueError(
            path="candidates",
            problem=f"{len(candidates)} are more than {MOST_CANDIDATES}",
            hint="Who wins among many is lucky: compare fewer.",
        )
    for name, policy in candidates.items():
        if not 0 < len(str(name)) <= _LONGEST_NAME:
            raise InvalidValueError(
                path="candidates", problem=f"{name!r} is not a name of 1 to {_LONGEST_NAME} signs"
            )
        if not isinstance(policy, Policy):
            raise InvalidValueError(
                path=f"candidates.{name}",
                problem=f"{policy!r} chooses nothing",
                hint="Give a policy, e.g. ridge.Policy(alpha=0.1).",
            )
