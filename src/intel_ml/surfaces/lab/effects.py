"""Did the actions help? What rules proposed against what was left alone at random.

    effect of proposing = mean(earned | proposed) - mean(earned | left alone), adjusted (CUPED)
    effect of doing     = effect of proposing / share of proposals that were carried out
    before/after        = mean(earned | carried out), which also counts what recovers anyway

Chance decides what is left alone, people decide what is carried out: only the first is comparable.
Nothing left alone was carried out, and a refused proposal does nothing, so what proposing changed
was changed by those carried out (Bloom, 1984, Evaluation Review 8). Units are ad sets: what
happened to one in several decisions is averaged first, so that it counts once.

Reads   a log with `rule_id`, `is_held_out`, `reward_earned`, and names of rules.
Gives   `Effects`: a row a group with both numbers and their intervals; a picture.
Never   gives an effect from fewer than `FEWEST` units on either side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy.evidence import require
from intel_ml.learning.evaluation.intervals import of_mean
from intel_ml.learning.evaluation.pictures import ACCENT, ARM_NAMES, QUIET, RIVAL
from intel_ml.learning.rewards import Effect, Units, effect, standing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 5
EVERYTHING = "everything rules proposed"
_NEEDED = ("rule_id", "is_held_out", "reward_earned", "executed", "proposed", "entity_id")
_BEFORE = ("spend", "conversions", "target_cpa")
_DID = ("value", "low", "high", "against ad sets left alone: what the action did")
_CLAIMED = (
    "claimed",
    "claimed_low",
    "claimed_high",
    "before and after: what a usual report would claim",
)
_ROOM, _MOST = 1.25, 3.0


@dataclass(frozen=True, slots=True)
class Effects:
    """`rows`: one a group, indexed by its name; `value`, `low`, `high` are the effect of doing.

    `claimed`, `claimed_low`, `claimed_high` are what a before/after report would say of the same.
    """

    rows: pd.DataFrame

    @property
    def known(self) -> pd.DataFrame:
        """The groups with enough units on both sides."""
        return self.rows[self.rows["value"].notna()]

    @property
    def says(self) -> str:
        """The answer for everything together, in a sentence a media buyer understands."""
        if EVERYTHING not in self.known.index:
            seen = self.rows.loc[EVERYTHING]
            return (
                f"Too early to tell: {seen['units']:.0f} ad sets with proposals, "
                f"{seen['left_alone']:.0f} left alone at random; {FEWEST} of each are needed."
            )
        whole = self.known.loc[EVERYTHING]
        low, high = whole["low"], whole["high"]
        word = (
            "helped" if low > 0 else "did harm" if high < 0 else "cannot be told from nothing yet"
        )
        return (
            f"What was carried out {word}: {whole['value']:+.0%} of the money in play for each "
            f"action (95 % interval {low:+.0%} to {high:+.0%}), beside {whole['left_alone']:.0f} "
            f"ad sets left alone at random. A before/after report would claim "
            f"{whole['claimed']:+.0%}."
        )

    def figure(self) -> Figure:
        """Return both numbers of every group with their intervals; the effect is the blue one."""
        from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

        known = self.known
        figure = Figure(figsize=(8.6, 1.7 + 0.62 * max(len(known), 1)), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(known))
        _points(axes, known, _DID, shift=-0.13, like=(ACCENT, "o"))
        _points(axes, known, _CLAIMED, shift=0.13, like=(RIVAL, "s"))
        axes.axvline(0, color="black", linewidth=0.6)
        names = [
            f"{name}\n{row.done:.0f} carried out, {row.left_alone:.0f} left alone"
            for name, row in known.iterrows()
        ]
        axes.set_yticks(places, names, fontsize=8.5)
        axes.set_ylim(len(known) - 0.5, -1.2)
        if len(known):
            reach = _reach(known)
            axes.set_xlim(-reach, reach)
        else:
            axes.text(0.5, 0.5, self.says, ha="center", color=QUIET, transform=axes.transAxes)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0%}")
        axes.set_xlabel(
            "earned within three days of an action, of the money in play (95 % interval)"
        )
        axes.set_title("Did the actions help?", loc="left", fontsize=10.5)
        axes.legend(frameon=False, fontsize=8.5, loc="upper right", ncols=1)
        axes.spines[["top", "right"]].set_visible(False)
        return figure


def effects(log: pd.DataFrame, *, rules: Mapping[tuple[str, int], str]) -> Effects:
    """Return what was changed by everything, by each kind of action, and by each rule.

    A rule's kind is what it proposed most often; what was drawn by chance belongs to no rule and is
    left out.
    """
    import pandas as pd  # noqa: PLC0415  # heavy

    require(log, *_NEEDED, *(f"state_{name}" for name in _BEFORE))
    rows = log[log["rule_id"].notna() & log["reward_earned"].notna()].copy()
    rows["standing"] = [
        standing(dict(zip(_BEFORE, values, strict=True)))
        for values in rows[[f"state_{name}" for name in _BEFORE]].itertuples(index=False)
    ]
    rows = rows[rows["standing"].notna()]
    keys = list(zip(rows["ad_account_id"], rows["rule_id"].astype(int), strict=True))
    rows["rule"] = [rules.get(key, f"rule {key[1]}") for key in keys]
    shown = rows[~rows["is_held_out"].astype(bool)]
    usual = shown.groupby("rule")["proposed"].agg(lambda arms: arms.mode().iloc[0])
    kinds = rows["rule"].map(usual)
    groups = {EVERYTHING: rows}
    for arm in ARMS:
        part = rows[kinds == arm]
        if 0 < len(part) < len(rows):
            groups[f"proposals: {ARM_NAMES[arm]}"] = part
    groups |= {f"rule “{name}”": part for name, part in rows.groupby("rule")}
    return Effects(pd.DataFrame.from_dict({n: _row(part) for n, part in groups.items()}, "index"))


def _row(part: pd.DataFrame) -> dict[str, float]:
    held = part["is_held_out"].astype(bool)
    proposed, alone = _by_unit(part[~held]), _by_unit(part[held])
    acted = part[~held & (part["executed"] != Arm.MAINTAIN)]
    share = len(acted) / max(len(part[~held]), 1)
    claims = _by_unit(acted)["reward_earned"].to_numpy(dtype=np.float64)
    claimed = of_mean(claims) if len(claims) > 1 else None
    found: Effect | None = None
    if share > 0 and min(len(proposed), len(alone)) >= FEWEST:
        found = effect(_units(proposed), _units(alone))
    return {
        "units": len(proposed),
        "left_alone": len(alone),
        "proposals": len(part[~held]),
        "done": len(acted),
        "share_done": share,
        "value": math.nan if found is None else found.value / share,
        "low": math.nan if found is None else found.low / share,
        "high": math.nan if found is None else found.high / share,
        "claimed": math.nan if claimed is None else claimed.value,
        "claimed_low": math.nan if claimed is None else claimed.low,
        "claimed_high": math.nan if claimed is None else claimed.high,
        "alone": float(alone["reward_earned"].mean()) if len(alone) else math.nan,
    }


def _by_unit(rows: pd.DataFrame) -> pd.DataFrame:
    columns = ["reward_earned", "standing"]
    return rows.groupby(["ad_account_id", "entity_id"])[columns].mean()


def _units(rows: pd.DataFrame) -> Units:
    return Units(list(rows["reward_earned"]), list(rows["standing"]))


def _points(
    axes: Axes, known: pd.DataFrame, of: tuple[str, ...], *, shift: float, like: tuple[str, str]
) -> None:
    """Draw one number of each group with its interval.

    `of` names its columns and the legend, `like` is colour and mark.
    """
    middle, low, high = (known[name].to_numpy(dtype=np.float64) for name in of[:3])
    axes.errorbar(
        middle,
        np.arange(len(known)) + shift,
        xerr=np.vstack([middle - low, high - middle]).clip(min=0),
        capsize=3,
        markersize=5,
        label=of[3],
        color=like[0],
        fmt=like[1],
    )


def _reach(known: pd.DataFrame) -> float:
    """Return how far the axis goes: the least certain group must not press the others together."""
    ends = np.abs(known[[*_DID[1:3], *_CLAIMED[1:3]]].to_numpy(dtype=np.float64))
    middles = np.abs(known[[_DID[0], _CLAIMED[0]]].to_numpy(dtype=np.float64))
    usual = _MOST * max(float(np.nanmedian(ends)), float(np.nanmax(middles)))
    return _ROOM * min(float(np.nanmax(ends)), usual)
