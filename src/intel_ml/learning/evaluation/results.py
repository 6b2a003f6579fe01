"""What a comparison found, before anyone looks at it.

Reads   nothing.
Gives   `Results`, `Judged`, `Conclusion`.
Never   holds a value without its interval and its support.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from intel_ml.learning.evaluation.agreement import Agreement
from intel_ml.learning.evaluation.e_process import EProcess
from intel_ml.learning.evaluation.intervals import Interval
from intel_ml.learning.evaluation.logged import Estimate
from intel_ml.learning.evaluation.sensitivity import Sensitivity
from intel_ml.learning.evaluation.support import Support


class Conclusion(StrEnum):
    """What the evidence says; refused and inconclusive both leave things as they are."""

    BETTER = "better"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """One policy on the log: its value by estimator, its support, how it agrees with people."""

    name: str
    estimates: dict[str, Estimate]
    support: Support
    agreement: Agreement

    @property
    def main(self) -> Estimate:
        """The estimate that is quoted: the doubly robust one."""
        return self.estimates["DR"]


@dataclass(frozen=True, slots=True)
class Results:
    """A candidate beside a champion; `champion` None means: beside what was done."""

    candidate: Judged
    champion: Judged | None
    logged: Interval
    difference: Interval
    evidence: EProcess
    counter_evidence: EProcess
    sensitivity: Sensitivity
    by_archetype: dict[str, tuple[Interval, int]]
    n: int
    conclusion: Conclusion
    why: str

    @property
    def numbers(self) -> dict[str, float | None]:
        """What gates ask for; of a refused comparison the evidence is no number at all."""
        best, told = self.candidate.support, self.conclusion is not Conclusion.REFUSED
        return {
            "samples": float(self.n),
            "support_share": best.supported_share,
            "effective_samples": best.ess,
            "e_value": self.evidence.peak if told else None,
            "reverse_e_value": self.counter_evidence.peak if told else None,
            "holds_to_odds": self.sensitivity.falls_at or self.sensitivity.gammas[-1],
            "value": self.candidate.main.value,
            "difference": self.difference.value,
            "agreement": self.candidate.agreement.rate,
            "kappa": self.candidate.agreement.kappa,
        }
