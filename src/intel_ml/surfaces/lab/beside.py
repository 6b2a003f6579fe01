"""What a policy would have done, beside what was done: in shares, in a grid, in words.

Reads   a policy and a log of measured decisions; names of entities.
Gives   `Beside`: one row a decision, two pictures, and the cases where policy and people differ.
Never   says who was right: that is what the comparison is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.context import numeric
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation.pictures import ACCENT, ARM_NAMES, INK, QUIET, RIVAL
from intel_ml.learning.evaluation.replay import measured, replay, states_of_log
from intel_ml.operations.wording import ARM_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_REASONS, _DARK = 2, 0.6
_KEPT = ["decision_id", "ad_account_id", "entity_type", "entity_id", "as_of", "archetype"]


@dataclass(frozen=True, slots=True)
class Beside:
    """`rows` has `done` (executed) and `would` (the policy's best arm), `sure`, `same`, `stake`.

    `pmf` is how likely the policy would have done each arm, (n, 6).
    """

    policy: str
    rows: pd.DataFrame = field(repr=False)
    pmf: NDArray[np.float64] = field(repr=False)

    @property
    def judged(self) -> pd.DataFrame:
        """The decisions about which a person said something."""
        return self.rows[self.rows["verdict"].isin(list(Verdict))]

    def shares(self) -> Figure:
        """Return how often each action was done, and how often the policy would have done it."""
        from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

        done = [float((self.rows["done"] == arm).mean()) for arm in ARMS]
        would = self.pmf.mean(axis=0)
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(ARMS))
        axes.barh(places - 0.19, done, height=0.36, color=RIVAL, label="was done")
        axes.barh(places + 0.19, would, height=0.36, color=ACCENT, label=f"{self.policy} would do")
        axes.set_yticks(places, [ARM_NAMES[arm] for arm in ARMS])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel(f"share of {len(self.rows):,} measured decisions")
        axes.set_title("What it would do, and what the log shows", loc="left", fontsize=10.5)
        axes.legend(frameon=False, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
        return figure

    def grid(self) -> Figure:
        """Return how often people's decision (rows) met each of the policy's (columns)."""
        from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

        judged = self.judged
        counts = np.array(
            [
                [int(((judged["done"] == a) & (judged["would"] == b)).sum()) for b in ARMS]
                for a in ARMS
            ]
        )
        figure = Figure(figsize=(8.0, 4.2), layout="constrained")
        axes = figure.subplots()
        most = max(int(counts.max()), 1)
        axes.imshow(counts, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if count > _DARK * most else INK if count else QUIET
            weight = "bold" if row == column and count else "normal"
            axes.text(
                column, row, f"{count}", ha="center", va="center", color=colour, weight=weight
            )
        names = [ARM_NAMES[arm] for arm in ARMS]
        axes.set_xticks(range(len(ARMS)), names)
        axes.set_yticks(range(len(ARMS)), names)
        axes.set_xlabel(f"{self.policy} would have chosen")
        axes.set_ylabel("what people let happen")
        title = f"{len(judged):,} decisions people judged; on the diagonal both did the same"
        axes.set_title(title, loc="left", fontsize=10.5)
        axes.spines[:].set_visible(False)
        return figure

    def differ(self, most: int = 10) -> list[str]:
        """Return where policy and people differ most, in words.

        Each kind of difference in turn, the surest first, then the one with most money in play; an
        entity is told of once.
        """
        apart = self.judged[~self.judged["same"]]
        apart = apart.sort_values(["sure", "stake"], ascending=False, kind="stable")
        apart = apart.drop_duplicates(["ad_account_id", "entity_id"])
        apart = apart.assign(turn=apart.groupby(["done", "would"]).cumcount())
        chosen = apart.sort_values("turn", kind="stable")
        return [self._told(row) for row in chosen.head(most).to_dict("records")]

    def _told(self, row: Mapping[Any, Any]) -> str:
        of = f" ({row['archetype']})" if isinstance(row["archetype"], str) else ""
        reason = row["verdict_reason"]
        said = f" (“{reason}”)" if isinstance(reason, str) and reason else ""
        asked, done, would = (ARM_WORDS[Arm(row[name])] for name in ("proposed", "done", "would"))
        people = {
            Verdict.APPROVED: f"people agreed to {done}",
            Verdict.MODIFIED: f"people were asked to {asked} and chose to {done}",
            Verdict.REJECTED: f"people were asked to {asked} and refused",
        }[Verdict(row["verdict"])]
        return (
            f"{row['name']}{of}, {row['as_of']:%d %b}: {people}{said}; {self.policy} would "
            f"{would}, {row['sure']:.0%} sure: {row['why']}."
        )


def beside(policy: Policy, log: pd.DataFrame, *, names: Mapping[tuple[str, str], str]) -> Beside:
    """Return the measured decisions of a log with what the policy would have done.

    `names` are those of entities, by account and id; where one is missing its id is shown.
    """
    rows = measured(log)
    if rows.empty:
        raise NotEnoughDataError(quantity="measured decisions", needed=1, seen=0)
    replayed = replay(policy, log)
    choices = replayed.choices
    told = rows[_KEPT].assign(
        name=[
            names.get((account, entity), f"{kind} {entity}")
            for account, kind, entity in rows[_KEPT[1:4]].itertuples(index=False)
        ],
        proposed=rows["proposed"],
        verdict=rows["verdict"],
        verdict_reason=rows["verdict_reason"],
        done=rows["executed"],
        would=[ARMS[arm].value for arm in choices.greedy],
        sure=choices.confidence,
        stake=_stake(rows),
    )
    told["same"] = told["done"] == told["would"]
    told["why"] = _why(policy, rows, choices.greedy, told)
    return Beside(policy.name, told.reset_index(drop=True), choices.pmf)


def _stake(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the money in play as a multiple of the target cost, which compares currencies."""
    spend, target = (
        numeric(rows[name]) if (name := f"state_{of}") in rows else np.full(len(rows), np.nan)
        for of in ("spend", "target_cpa")
    )
    return np.nan_to_num(np.divide(spend, target, out=np.zeros(len(rows)), where=target > 0))


def _why(
    policy: Policy, rows: pd.DataFrame, arms: NDArray[np.intp], told: pd.DataFrame
) -> list[str]:
    """Return the policy's reasons where it differs from a person, nothing elsewhere."""
    states = states_of_log(rows, policy.features)
    wanted = (told["verdict"].isin(list(Verdict)) & ~told["same"]).to_numpy()
    return [
        "; ".join(r.text for r in policy.explain(states, row, ARMS[arm])[:_REASONS]) if want else ""
        for row, (arm, want) in enumerate(zip(arms, wanted, strict=True))
    ]
