"""The rules as a policy: what they recommend, with the probability a log needs to be judged by.

    pmf(a) = 1 - (k - 1) floor  for the arm of the winning rule, floor for the other k - 1 allowed

Where no acting rule holds, or its arm is not allowed, the arm is `maintain`. So rules can be
played, evaluated and promoted beside every other policy, as `make_policy("rules", ...)`:
`intelligence` knows no rules, so the package announces this policy in its metadata (the entry
points of `intel_ml.policies`).

Reads   rules as JSON or as `Rule`s; states.
Gives   `Policy`.
Never   learns, and never lets a missing value fire a rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, ActionType, Arm, arm_of
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.recommendations import Reason, Recommendation
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing, files
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Choices
from intel_ml.intelligence.policy.settings import FLOOR, Drawing, checked
from intel_ml.judgement.rules.conditions import Condition, Multiple, Node
from intel_ml.judgement.rules.evaluation import evaluate
from intel_ml.judgement.rules.language import ExecutionMode, Rule, parse_rule, rule_json
from intel_ml.judgement.rules.templates import rules_in

if TYPE_CHECKING:
    import pandas as pd

NAME = "rules"
NO_RULE = "No rule asks for a change"
OTHER_RULE = "No rule asks for this; tried now and then so that rules can be judged"


@dataclass(frozen=True, slots=True)
class Settings:
    """How often what no rule asks for is tried; `seed` is taken as by others, and not needed."""

    floor: float = FLOOR
    seed: int = 0

    def __post_init__(self) -> None:
        Drawing(floor=self.floor)


class Policy:
    """`Policy(rules=[...])`; without rules, those every account starts with.

    `currency` is the account's: it decides the amounts of the default rules, which without it are
    multiples of the account's target, and how amounts are spoken of. `features` are those the rules
    name, whatever was asked for.
    """

    name = NAME
    entity_types: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        rules: Sequence[Rule | Mapping[str, Any]] | None = None,
        currency: str | None = None,
        features: Sequence[str] | None = None,
        **settings: float,
    ) -> None:
        del features
        self.settings = checked(Settings, settings)
        self.currency = currency
        self.rules = tuple(_rule(one, at) for at, one in enumerate(rules or ()))
        if rules is None:
            self.rules = tuple(rules_in(currency or ""))
        self._acting = tuple(rule for rule in self.rules if _acts(rule))

    @property
    def features(self) -> tuple[str, ...]:
        """The fields that the acting rules look at."""
        return tuple(sorted({name for rule in self._acting for name in _fields(rule.conditions)}))

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return the pmf around what the rules recommend."""
        mask = drawing.mask_of(allowed, len(states))
        wanted = np.zeros(mask.shape)
        wanted[:, MAINTAIN] = 0.5
        for row, said in self._said(states).items():
            arm = arm_of(said.action)
            if arm is not None:
                wanted[row, ARM_INDEX[arm]] = 1.0
        greedy = drawing.best(wanted, mask)
        pmf = drawing.floored(np.eye(len(ARMS))[greedy], mask, self.settings.floor)
        sure = pmf[np.arange(len(pmf)), greedy]
        return drawing.choices(pmf, keys, greedy=greedy, confidence=sure)

    def learn(self, log: pd.DataFrame) -> Self:  # noqa: ARG002  # the protocol's argument
        """Return itself: rules are written, not learned."""
        return self

    def fit(self, log: pd.DataFrame) -> Self:
        """Return itself: rules are written, not learned."""
        return self.learn(log)

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return the conditions of the rule that asks for this arm."""
        said = self._said(states.take([row])).get(0)
        wanted = Arm.MAINTAIN if said is None else arm_of(said.action)
        if arm is not wanted:
            return (Reason(OTHER_RULE),)
        return (said.reasons if said is not None else ()) or (Reason(NO_RULE),)

    def save(self, folder: Path) -> None:
        """Write `policy.json`, the rules in it as JSON, and an empty `policy.npz`."""
        words = {
            "kind": NAME,
            "settings": asdict(self.settings),
            "currency": self.currency,
            "rules": [rule_json(rule) for rule in self.rules],
        }
        files.write(folder, "policy", words=words, arrays={})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, _ = files.read(folder, "policy", kind=NAME)
        return cls(rules=words["rules"], currency=words["currency"], **words["settings"])

    def _said(self, states: States) -> dict[int, Recommendation]:
        return evaluate(self._acting, states, currency=self.currency).recommendations()


def _rule(given: Rule | Mapping[str, Any], at: int) -> Rule:
    if isinstance(given, Rule):
        return given
    try:
        return parse_rule(given)
    except InvalidValueError as error:
        raise InvalidValueError(
            path=f"rules[{at}].{error.path}", problem=error.problem, hint=error.hint
        ) from error


def _acts(rule: Rule) -> bool:
    """Return whether a rule asks for a change that an arm stands for."""
    is_notice = rule.action.type is ActionType.NOTIFY_ONLY
    suggests = rule.execution_mode is ExecutionMode.SUGGESTION_ONLY
    return rule.is_active and not is_notice and not suggests and arm_of(rule.action) is not None


def _fields(node: Node) -> set[str]:
    if isinstance(node, Condition):
        limits = node.values  # noqa: PD011  # thresholds, no frame
        return {node.field, *(one.field for one in limits if isinstance(one, Multiple))}
    return {name for part in node.parts for name in _fields(part)}
