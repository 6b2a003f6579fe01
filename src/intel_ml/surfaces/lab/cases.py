"""One choice of a policy explained: what speaks for it, what came of the most alike past cases.

Reads   a policy and the states of entities at one moment; names of entities.
Gives   `Explained`: sentences, the reasons and the cases as frames, all of it as a page.
Never   shows whose a case was where it is another account's, or one whose outcome was not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.ids import Entity
from intel_ml.features.states import States
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Policy, Remembers
from intel_ml.intelligence.policy.recall import Case, Recalled
from intel_ml.operations.wording import ARM_WORDS
from intel_ml.surfaces.lab import pictures

if TYPE_CHECKING:
    import pandas as pd

ANOTHERS = "of another account that shares"
_COLUMNS = ("likeness", "when", "what", "proposed", "verdict", "executed")
_OUTCOMES = ("earned", "against_left_alone", "reward")


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a policy would do that: `says` in sentences, `reasons` and `cases` as frames.

    `arm` is what is explained, `recalled` None of a policy that remembers no cases.
    """

    arm: Arm
    says: tuple[str, ...]
    reasons: pd.DataFrame = field(repr=False)
    cases: pd.DataFrame = field(repr=False)
    recalled: Recalled | None = field(repr=False)

    def __str__(self) -> str:
        parts: list[Any] = [pictures.said(*self.says), pictures.table(self.reasons)]
        if not self.cases.empty:
            parts.append(pictures.table(self.cases))
        return "\n\n".join(str(part) for part in parts)

    def _repr_html_(self) -> str:
        head, *tail = self.says
        page = pictures.said(head)._repr_html_() + pictures.table(self.reasons)._repr_html_()
        page += "".join(pictures.said(text)._repr_html_() for text in tail)
        return page if self.cases.empty else page + pictures.table(self.cases)._repr_html_()


def explained(  # noqa: PLR0913  # whose choice about what, and how much of it
    policy: Policy,
    states: States,
    entity: str,
    *,
    arm: Arm | str | None = None,
    k: int | None = None,
    names: Mapping[tuple[str, str], str],
) -> Explained:
    """Return why a policy would do what it thinks best with one entity, or why another `arm`.

    `k` is how many past cases are shown. `names` are those of entities, by account and id.
    """
    row = _row(states, entity)
    one, asked = states.take([row]), states.entities[row]
    _check_level(policy, asked)
    every = np.ones((1, len(ARMS)), dtype=bool)
    chosen = policy.choose(one, allowed=every, keys=[str(asked)])
    best = ARMS[int(chosen.greedy[0])]
    about = best if arm is None else _arm(arm)
    recalled = policy.nearest(one, 0, about, k=k) if isinstance(policy, Remembers) else None
    says = [_head(policy, _name(asked, names), best, float(chosen.confidence[0]))]
    if about is not best:
        says[0] += f" This is about another choice: to {ARM_WORDS[about]}."
    if recalled is not None:
        says.append(recalled.says)
    return Explained(
        arm=about,
        says=tuple(says),
        reasons=_reasons(policy, one, about),
        cases=_cases(() if recalled is None else recalled.cases, names),
        recalled=recalled,
    )


def _row(states: States, entity: str) -> int:
    """Return where an entity is among the states, by its id."""
    found = [row for row, one in enumerate(states.entities) if one.id == entity]
    if not found:
        raise NotFoundError(
            f"There is no entity '{str(entity)[:60]}' with a state.",
            hint="lab.states()['entity_id'] lists them.",
        )
    if len(found) > 1:
        accounts = ", ".join(sorted(states.entities[row].account for row in found))
        raise InvalidValueError(
            path="entity", problem=f"'{entity}' is in {accounts}", hint='Add account="act_…".'
        )
    return found[0]


def _check_level(policy: Policy, entity: Entity) -> None:
    levels = policy.entity_types
    if levels and entity.type not in levels:
        raise InvalidValueError(
            path="entity",
            problem=f"is of level {entity.type}",
            hint=f"{policy.name} learned of {', '.join(levels)}.",
        )


def _arm(name: Arm | str) -> Arm:
    if name not in ARM_INDEX:
        raise UnknownNameError(kind="arm", name=str(name), known=ARM_INDEX)
    return Arm(name)


def _head(policy: Policy, name: str, best: Arm, sure: float) -> str:
    return f"{name}: {policy.name} would {ARM_WORDS[best]}, {sure:.0%} sure."


def _reasons(policy: Policy, one: States, arm: Arm) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # heavy

    told = policy.explain(one, 0, arm)
    return pd.DataFrame(
        {
            "reason": [reason.text for reason in told],
            "observed": [reason.observed for reason in told],
            "weight": [reason.contribution for reason in told],
        }
    )


def _cases(cases: tuple[Case, ...], names: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # heavy

    rows = [
        {
            "likeness": case.likeness,
            "when": None if case.moment is None else f"{case.moment:%Y-%m-%d %H:%M}",
            "what": ANOTHERS if case.entity is None else _name(case.entity, names),
            "proposed": case.proposed,
            "verdict": case.verdict,
            "executed": case.executed,
            "earned": case.earned,
            "against_left_alone": case.against_left_alone,
            "reward": case.reward,
        }
        for case in cases
    ]
    frame = pd.DataFrame(rows, columns=[*_COLUMNS, *_OUTCOMES])
    # What no case knows is no column: verdicts of outcomes, outcomes of verdicts.
    return frame.dropna(axis="columns", how="all") if rows else frame


def _name(entity: Entity, names: Mapping[tuple[str, str], str]) -> str:
    return names.get((entity.account, entity.id), f"{entity.type} {entity.id}")
