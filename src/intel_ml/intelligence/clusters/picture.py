"""Archetypes as a picture: entities in the two features that tell the groups apart best.

Reads   `Archetypes` and the signatures.
Gives   a matplotlib Figure; numbers mark the groups' typical members, the legend names them.
Never   shows an entity that wasn't judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.clusters import labels
from intel_ml.intelligence.clusters.archetypes import ANOMALOUS, Archetypes, filled
from intel_ml.intelligence.clusters.scaling import column, is_skewed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito (2008): told apart by everyone.
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#56B4E9", "#8A6D3B", "#6A5ACD")
INK, QUIET, GRID = "#1f2933", "#616e7c", "#e4e7eb"
_UNITS = {
    "avg_cpa": "cost per result (account currency)",
    "avg_cpa_ratio": "cost per result over target (times)",
    "cpc": "cost per click (account currency)",
    "ctr": "CTR (%)",
    "conversion_rate": "conversion rate (%)",
    "cpa_volatility": "CPA volatility (part of the mean)",
    "fatigue_rate": "fatigue (part of the CTR lost)",
    "optimal_frequency": "frequency that sells (times seen a day)",
    "best_hour_concentration": "results in the best four hours (part of all)",
    "budget_efficiency": "spend on days at or under target (part of all)",
}


def figure(archetypes: Archetypes, signatures: pd.DataFrame) -> Figure:
    """Return the scatter of entities in the two most telling features."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    assigned = archetypes.assign(signatures)
    found = assigned["archetype"].to_numpy(dtype=object)
    nearest = assigned["nearest"].to_numpy(dtype=object)
    across, up = telling(archetypes, signatures)
    x, y = column(signatures, across), column(signatures, up)
    shown = np.isfinite(x) & np.isfinite(y) & np.array([n is not None for n in nearest], dtype=bool)
    picture = Figure(figsize=(11.0, 5.2), layout="constrained")
    axes = picture.subplots()
    for at, group in enumerate(archetypes.groups):
        colour = COLOURS[at % len(COLOURS)]
        mine = shown & (found == group.name)
        text = f"{at + 1}  {group.name}\n    {group.entities} · {group.characteristics}"
        axes.scatter(
            x[mine], y[mine], s=20, color=colour, alpha=0.55, linewidths=0, label=text, zorder=2
        )
    odd = shown & (found == ANOMALOUS)
    if odd.any():
        text = f"x  {ANOMALOUS}\n    {int(odd.sum())} · far from every group"
        axes.scatter(
            x[odd], y[odd], s=28, marker="x", color=INK, linewidths=1, label=text, zorder=3
        )
    _scale(axes, x[shown], y[shown])
    for at, group in enumerate(archetypes.groups):
        mine = shown & (nearest == group.name)
        if mine.any():
            _mark(axes, (float(np.median(x[mine])), float(np.median(y[mine]))), at)
    _dress(axes, across, up)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        labelspacing=0.9,
        handletextpad=0.4,
    )
    return picture


def support_figure(archetypes: Archetypes) -> Figure:
    """Return what speaks for each number of groups; the one that was taken is marked."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    picture = Figure(figsize=(7.5, 3.4), layout="constrained")
    axes = picture.subplots()
    ks = sorted(int(k) for k in archetypes.silhouette_by_k)
    axes.axvspan(archetypes.k - 0.25, archetypes.k + 0.25, color=GRID, zorder=0)
    for values, colour, text in (
        (archetypes.stability_by_k, COLOURS[0], "stability: other entities give the same groups"),
        (archetypes.silhouette_by_k, COLOURS[2], "silhouette: groups are far apart"),
    ):
        axes.plot(ks, [values[str(k)] for k in ks], marker="o", color=colour, label=text, zorder=2)
    axes.set_xticks(ks)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("number of types (grey: taken)", color=INK)
    axes.set_title("How many types there are", loc="left", color=INK, fontweight="bold")
    axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
    _quiet(axes)
    return picture


def telling(archetypes: Archetypes, signatures: pd.DataFrame) -> tuple[str, str]:
    """Return the two features whose spread between groups is largest against that within."""
    points = filled(archetypes.scaling.matrix(signatures))
    nearest = archetypes.assign(signatures)["nearest"].to_numpy(dtype=object)
    between, within = np.zeros(points.shape[1]), np.full(points.shape[1], 1e-9)
    judged = np.array([name is not None for name in nearest], dtype=bool)
    middle = points[judged].mean(axis=0)
    for name in archetypes.names:
        mine = points[nearest == name]
        if len(mine):
            between += len(mine) * (mine.mean(axis=0) - middle) ** 2
            within += ((mine - mine.mean(axis=0)) ** 2).sum(axis=0)
    order = np.argsort(-between / within, kind="stable")
    features = [archetypes.features[at] for at in order]
    return features[0], features[min(1, len(features) - 1)]


def _mark(axes: Axes, at: tuple[float, float], number: int) -> None:
    axes.annotate(
        str(number + 1),
        at,
        color="white",
        fontsize=9,
        fontweight="bold",
        ha="center",
        va="center",
        zorder=5,
        bbox={
            "boxstyle": "circle,pad=0.35",
            "fc": COLOURS[number % len(COLOURS)],
            "ec": "white",
            "lw": 1.5,
        },
    )


def _scale(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Make an axis logarithmic where values are skewed; linear near zero where some are zero."""
    for values, name in ((x, "x"), (y, "y")):
        if not len(values) or values.min() < 0 or values.max() <= 0 or not is_skewed(values):
            continue
        change = axes.set_xscale if name == "x" else axes.set_yscale
        if values.min() > 0:
            change("log")
        else:
            change("symlog", linthresh=float(np.percentile(values[values > 0], 10)))


def _dress(axes: Axes, across: str, up: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  # heavy

    axes.set_xlabel(_UNITS.get(across, labels.SPOKEN.get(across, across)), color=INK)
    axes.set_ylabel(_UNITS.get(up, labels.SPOKEN.get(up, up)), color=INK)
    axes.set_title("Entities that behave alike", loc="left", color=INK, fontweight="bold")
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(plain)
        axis.set_minor_formatter(NullFormatter())
    _quiet(axes)


def _quiet(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, which="both", labelsize=8.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)
