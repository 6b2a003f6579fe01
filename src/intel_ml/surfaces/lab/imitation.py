"""Learning what people would do, and how often that would have been right.

Reads   a log with verdicts, oldest first; the model's description.
Gives   `Imitated`: an imitation taught by every verdict, and what one taught by the older made of
        the newer: agreement, calibration, the cases it would have got wrong.
Never   says what anything earns: agreement is not value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.evidence import require
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Choices, Policy
from intel_ml.learning.evaluation.agreement import Agreement, agreement
from intel_ml.learning.evaluation.replay import keys_of, states_of_log
from intel_ml.learning.promotion import Evidence
from intel_ml.reporting.autonomy import calibration
from intel_ml.surfaces.lab import pictures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from intel_ml.learning.gates import ModelDescription

_FEWEST = 10
_CASES = 10
_PERCENT = 100


@dataclass(frozen=True, slots=True, repr=False)
class Imitated:
    """An imitation, and what the same recipe made of `n` proposals it had not seen.

    `as_proposed` is how often people did just what was proposed: who foresees that alone is right
    as often. `sure` is the imitation's probability of its own answer, `right` whether it was.
    """

    policy: Policy
    found: Agreement
    as_proposed: float
    sure: NDArray[np.float64]
    right: NDArray[np.bool_]
    cases: pd.DataFrame
    verdicts: int
    data_range: tuple[str, str]

    @property
    def headline(self) -> str:
        """The conclusion in a sentence."""
        rate = self.found.rate or 0.0
        return (
            f"It would have done what people did with {rate:.0%} of {self.found.n:,} proposals it "
            f"had not seen (95% interval {self.found.low:.0%} to {self.found.high:.0%}); people "
            f"did just what was proposed with {self.as_proposed:.0%}. It was {self.sure.mean():.0%}"
            f" sure on average."
        )

    @property
    def evidence(self) -> Evidence:
        """What its gates ask for."""
        return Evidence(
            numbers={"verdicts": float(self.verdicts), "agreement": self.found.rate},
            training_rows=self.verdicts,
            data_range={"from": self.data_range[0], "to": self.data_range[1]},
            details={
                "judged_on": self.found.n,
                "kappa": self.found.kappa,
                "as_proposed": self.as_proposed,
                "brier": float(((self.sure - self.right) ** 2).mean()),
            },
        )

    def by_archetype(self) -> Figure:
        """Return the agreement in each archetype with its interval."""
        return _intervals(self.found, self.found.by_archetype, "Agreement by archetype")

    def by_action(self) -> Figure:
        """Return, of what people did, how often it would have done that too."""
        return _intervals(self.found, self.found.by_action, "Agreement by what people did")

    def calibration(self) -> Figure:
        """Return how sure it was beside how often it was right."""
        figure = calibration(self.sure, self.right)
        figure.axes[0].set(xlabel="sure of its answer, %", ylabel="right, %")
        return figure

    def __repr__(self) -> str:
        return self.headline

    def _repr_html_(self) -> str:
        return f"<p>{self.headline}</p>"


def imitated(
    log: pd.DataFrame,
    model: ModelDescription,
    *,
    newest: float,
    names: Mapping[tuple[str, str], str] | None = None,
) -> Imitated:
    """Return an imitation of the people in the log; `newest` is the share that judges it first.

    `names` are those of entities, by account and id.
    """
    require(log, "proposed", "verdict", "executed", "as_of", "ad_account_id", "entity_id")
    asked = log["verdict"].isin(list(Verdict)) & (log["proposed"] != Arm.MAINTAIN)
    judged = log[asked.to_numpy()].sort_values("as_of", kind="stable")
    older = round((1 - newest) * len(judged))
    if min(older, len(judged) - older) < _FEWEST:
        raise NotEnoughDataError(
            quantity="proposals a person judged", needed=2 * _FEWEST, seen=len(judged)
        )
    cut = judged["as_of"].iloc[older - 1]
    new = judged[(judged["as_of"] > cut).to_numpy()]
    if new.empty:
        raise NotEnoughDataError(quantity="proposals judged since", needed=1, seen=0)
    pupil = _untaught(model).fit(log[(log["as_of"] <= cut).to_numpy()])
    choices = pupil.choose(
        states_of_log(new, pupil.features), allowed=_allowed(new), keys=keys_of(new)
    )
    wanted = _wanted(new)
    kinds = new["archetype"] if "archetype" in new else [None] * len(new)
    right = choices.greedy == wanted
    return Imitated(
        policy=_untaught(model).fit(log),
        found=agreement(
            choices.greedy,
            wanted,
            archetypes=[kind if isinstance(kind, str) else None for kind in kinds],
        ),
        as_proposed=float((_indices(new["proposed"]) == wanted).mean()),
        sure=choices.confidence,
        right=right,
        cases=_cases(new, choices, wanted, names or {}),
        verdicts=len(judged),
        data_range=(
            judged["as_of"].iloc[0].isoformat(timespec="minutes"),
            judged["as_of"].iloc[-1].isoformat(timespec="minutes"),
        ),
    )


def _untaught(model: ModelDescription) -> Policy:
    training = model.training
    return make_policy(training.algorithm, features=list(training.features), **training.parameters)


def _allowed(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return np.ones((len(rows), len(ARMS)), dtype=bool)


def _wanted(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return what the person wanted: what they approved, even where it could not be made."""
    approved = (rows["verdict"] == Verdict.APPROVED).to_numpy()
    return np.where(approved, _indices(rows["proposed"]), _indices(rows["executed"]))


def _indices(arms: pd.Series) -> NDArray[np.intp]:
    return np.asarray(arms.map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp))


def _cases(
    rows: pd.DataFrame,
    choices: Choices,
    wanted: NDArray[np.intp],
    names: Mapping[tuple[str, str], str],
) -> pd.DataFrame:
    """Return the proposals it would have handled otherwise, those it was surest of first."""
    import pandas as pd  # noqa: PLC0415  # heavy

    wrong = np.flatnonzero(choices.greedy != wanted)
    first = wrong[np.argsort(-choices.confidence[wrong], kind="stable")][:_CASES]
    some = rows.iloc[first]
    nothing = [None] * len(some)
    keys = zip(some["ad_account_id"], some["entity_id"], strict=True)
    return pd.DataFrame(
        {
            "when": some["as_of"].dt.strftime("%d %b %H:%M").to_numpy(),
            "entity": [names.get(key, key[1]) for key in keys],
            "archetype": some["archetype"].to_numpy() if "archetype" in some else nothing,
            "proposed": some["proposed"].to_numpy(),
            "people": [ARMS[arm].value for arm in wanted[first]],
            "imitation": [ARMS[arm].value for arm in choices.greedy[first]],
            "sure": choices.confidence[first],
            "their reason": some["verdict_reason"].to_numpy()
            if "verdict_reason" in some
            else nothing,
        }
    )


def _intervals(whole: Agreement, parts: Mapping[str, Agreement], title: str) -> Figure:
    import pandas as pd  # noqa: PLC0415  # heavy

    groups = {"all": whole, **parts}
    frame = pd.DataFrame(
        {
            f"{name} ({one.n})": {
                "value": _PERCENT * (one.rate or 0.0),
                "low": _PERCENT * one.low,
                "high": _PERCENT * one.high,
            }
            for name, one in groups.items()
        }
    ).T
    return pictures.intervals(frame, title=title, axis="did what people did, %, 95% interval")
