"""A comparison as one picture of four panels, or each panel as a picture of its own.

Reads   `Results`.
Gives   matplotlib Figures: value, evidence, agreement with people, what people may have known; all
        estimators, and how much of the log speaks for a policy.
Never   draws a point without its interval.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.core.actions import Arm
from intel_ml.core.errors import UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from intel_ml.learning.evaluation.agreement import Agreement
    from intel_ml.learning.evaluation.results import Judged, Results

ACCENT, RIVAL, INK, QUIET, GRID = "#2f6db5", "#8a94a0", "#1f2933", "#616e7c", "#e4e7eb"
#: What fits beside a bar.
ARM_NAMES = {
    Arm.PAUSE: "pause",
    Arm.MAINTAIN: "leave as it is",
    Arm.SCALE_10: "budget +10%",
    Arm.SCALE_20: "budget +20%",
    Arm.REDUCE_20: "budget \N{MINUS SIGN}20%",
    Arm.REDUCE_50: "budget \N{MINUS SIGN}50%",
}
_FEW_BARS, _MOST_BARS = 4, 9
_LEGEND_ROOM, _FEW_ROWS = 0.5, 4
_PANEL_INCHES = (8.0, 4.2)
_SHOWN = {
    "SNIPS": "from the log\nalone (SNIPS)",
    "DR": "log and reward\nmodel (DR)",
    "DR-os": "the same, more\ncautious (DR-os)",
}
#: Every estimator, from believing only the log to believing only the model of rewards.
_EVERY = {
    "IPS": "log alone, plain (IPS)",
    "SNIPS": "log alone, in proportion (SNIPS)",
    "SNDR": "both, in proportion (SNDR)",
    "DR": "log and reward model (DR)",
    "DR-os": "both, large weights shrunk (DR-os)",
    "Switch-DR": "both, rare ones by the model (Switch)",
    "DM": "reward model alone (DM)",
}
_TICKS = (1.0, 1.5, 2.0, 2.5, 3.0)
_SMALL, _MIDDLE = 8.5, 9.5
_LEAST_WEALTH, _MOST_WEALTH = 0.05, 1e4


def figure(report: Results, *, title: str) -> Figure:
    """Return value with intervals, evidence over time, agreement, and room for doubt."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    picture = Figure(figsize=(11.5, 7.4), layout="constrained")
    for axes, draw in zip(
        picture.subplots(2, 2).ravel(), (_values, _evidence, _agreed, _doubt), strict=True
    ):
        draw(axes, report)
        _quiet(axes)
    told = textwrap.fill(f"{title}: {report.why}", 130)
    picture.suptitle(told, fontsize=11, color=INK, x=0.01, ha="left")
    return picture


def panel(report: Results, name: str) -> Figure:
    """Return one of `PANELS` as a picture of its own."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    if name not in PANELS:
        raise UnknownNameError(kind="picture of a comparison", name=name, known=PANELS)
    picture = Figure(figsize=_PANEL_INCHES, layout="constrained")
    axes = picture.subplots()
    PANELS[name](axes, report)
    _quiet(axes)
    return picture


def _quiet(axes: Axes) -> None:
    axes.tick_params(colors=QUIET, which="both", labelsize=_SMALL)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)


def _titled(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=INK)
    axes.set_xlabel(below, color=INK, fontsize=_MIDDLE)


def _values(axes: Axes, report: Results) -> None:
    _estimates(axes, report, _SHOWN)
    _titled(axes, "What a decision earns, counted three ways", "reward a decision, 95 % interval")


def _estimators(axes: Axes, report: Results) -> None:
    _estimates(axes, report, _EVERY)
    below = "earned a decision, as a share of the money in play (95 % interval)"
    _titled(axes, "What a decision would have earned, counted every way", below)


def _estimates(axes: Axes, report: Results, shown: Mapping[str, str]) -> None:
    names = [name for name in shown if name in report.candidate.estimates]
    rows = np.arange(len(names))
    for judged, colour, shift in (
        (report.candidate, ACCENT, -0.13),
        (report.champion, RIVAL, 0.13),
    ):
        if judged is None:
            continue
        places = [row for row, name in enumerate(names) if name in judged.estimates]
        found = [judged.estimates[names[row]] for row in places]
        middle = np.array([f.value for f in found])
        low, high = np.array([f.low for f in found]), np.array([f.high for f in found])
        axes.errorbar(
            middle,
            np.array(places) + shift,
            xerr=np.vstack([middle - low, high - middle]).clip(min=0),
            fmt="o",
            color=colour,
            markersize=5,
            capsize=3,
            linewidth=1.4,
            label=judged.name if judged is report.candidate else f"{judged.name} (champion)",
        )
    axes.axvspan(report.logged.low, report.logged.high, color=GRID, zorder=0)
    axes.axvline(report.logged.value, color=QUIET, linewidth=1, zorder=1, label="what was done")
    axes.set_yticks(rows, [shown[name] for name in names])
    axes.set_ylim(len(names) - 0.5 + _LEGEND_ROOM * max(1.0, len(names) / _FEW_ROWS), -0.5)
    axes.legend(frameon=False, fontsize=_SMALL, loc="lower center", ncols=3)


def _support(axes: Axes, report: Results) -> None:
    judged = [report.candidate, *([report.champion] if report.champion else [])]
    rows = [("decisions in the log", float(report.n))]
    rows += [(_worth(one), one.support.ess) for one in judged]
    widths, places = [width for _, width in rows], np.arange(len(rows))
    colours = [GRID, ACCENT, RIVAL][: len(rows)]
    axes.barh(places, widths, color=colours, height=0.55)
    for place, width in zip(places, widths, strict=True):
        axes.annotate(
            f"{width:,.0f}",
            (width, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=_MIDDLE,
        )
    needed = report.candidate.support.needed
    axes.axvline(needed, color=INK, linewidth=0.8, linestyle="--")
    axes.annotate(
        f"{needed:,.0f} are needed",
        (needed, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=_SMALL,
        color=INK,
    )
    axes.set_yticks(places, [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.9)
    axes.set_xlim(0, max(*widths, needed) * 1.12)
    _titled(axes, "How much of the log speaks of it", "decisions")


def _worth(judged: Judged) -> str:
    return f"as many as if {judged.name}\nhad made them (ESS)"


def _evidence(axes: Axes, report: Results) -> None:
    steps = np.arange(1, len(report.evidence.path) + 1)
    for process, colour, style, name in (
        (report.evidence, ACCENT, "-", "it is better"),
        (report.counter_evidence, RIVAL, ":", "it is worse"),
    ):
        path = np.clip(process.path, _LEAST_WEALTH, _MOST_WEALTH)
        axes.plot(steps, path, color=colour, linewidth=1.7, ls=style, label=f"that {name}")
    line = 1 / report.evidence.alpha
    axes.axhline(line, color=INK, linewidth=0.8, linestyle="--")
    axes.text(steps[-1], line * 1.15, "enough to decide", fontsize=_SMALL, color=INK, ha="right")
    axes.set_yscale("log")
    axes.set_ylim(_LEAST_WEALTH, _MOST_WEALTH * 1.5 if report.evidence.peak > line else 100)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g} to 1")
    _titled(axes, "Evidence, as decisions came in", "decisions")
    axes.legend(frameon=False, fontsize=_SMALL, loc="best")


def _agreed(axes: Axes, report: Results) -> None:
    whole = report.candidate.agreement
    _titled(axes, "Would have done what people had done", "share of decisions people judged")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    if whole.rate is None:
        axes.set_yticks([])
        text = "nobody has judged\na proposal yet"
        axes.text(0.5, 0.5, text, ha="center", va="center", color=QUIET, transform=axes.transAxes)
        return
    bars: list[tuple[str, Agreement]] = [("all", whole)]
    bars += [(f"they: {ARM_NAMES[Arm(n)]}", part) for n, part in whole.by_action.items()]
    largest = sorted(whole.by_archetype.items(), key=lambda pair: -pair[1].n)
    bars += largest[: max(_MOST_BARS - len(bars), 0)]
    known = [(name, part, part.rate) for name, part in bars if part.rate is not None]
    rates = np.array([rate for *_, rate in known])
    low = rates - np.array([part.low for _, part, _ in known])
    high = np.array([part.high for _, part, _ in known]) - rates
    rows = np.arange(len(known))
    axes.barh(rows, rates, color=ACCENT, height=0.55)
    reach = np.vstack([low, high]).clip(min=0)
    axes.errorbar(rates, rows, xerr=reach, fmt="none", color=INK, linewidth=1)
    axes.set_yticks(rows, [f"{_short(name)} ({part.n})" for name, part, _ in known])
    # Room for a few bars even where there is one: a lone bar would fill the panel.
    axes.set_ylim(max(len(known), _FEW_BARS) - 0.5, -0.5)


def _doubt(axes: Axes, report: Results) -> None:
    found = report.sensitivity
    axes.fill_between(found.gammas, found.low, found.high, color=ACCENT, alpha=0.18, linewidth=0)
    axes.plot(found.gammas, found.low, color=ACCENT, linewidth=1.2)
    axes.plot(found.gammas, found.high, color=ACCENT, linewidth=1.2)
    axes.axhline(0.0, color=INK, linewidth=0.8, linestyle="--")
    axes.axhline(report.difference.value, color=ACCENT, linewidth=1)
    if found.falls_at is not None and found.falls_at > found.gammas[0]:
        axes.axvline(found.falls_at, color=QUIET, linewidth=1)
        axes.annotate(
            f"from {found.falls_at:.2g}-fold on\nthere may be no difference",
            (found.falls_at, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(5, 5),
            textcoords="offset points",
            fontsize=_SMALL,
            color=INK,
        )
    axes.set_xticks(_TICKS, [f"{tick:g}-fold" for tick in _TICKS])
    axes.set_ylabel("difference a decision", color=INK, fontsize=_MIDDLE)
    _titled(
        axes,
        "If people knew more than the log holds",
        "by how much that moved the odds of an approval (1: not at all)",
    )


def _short(name: str, length: int = 34) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


PANELS: dict[str, Callable[[Axes, Results], None]] = {
    "value": _values,
    "estimators": _estimators,
    "support": _support,
    "evidence": _evidence,
    "agreement": _agreed,
    "doubt": _doubt,
}
