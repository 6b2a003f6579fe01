"""A comparison for the eye: sentences, tables, and the page a notebook shows.

Reads   `Results`.
Gives   sentences, frames, HTML with every name escaped; the picture is `pictures`.
Never   shows a value without its interval.
"""

from __future__ import annotations

import html as escaping
import math
from typing import TYPE_CHECKING

from intel_ml.learning.evaluation import pictures

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.learning.evaluation.agreement import Agreement
    from intel_ml.learning.evaluation.results import Results

_HEADLINES = {
    "better": "Better than {rival}",
    "worse": "Worse than {rival}",
    "inconclusive": "Too early to tell: keep collecting",
    "refused": "The log cannot tell",
}
_MOST_SHOWN = 1e6


def headline(report: Results) -> str:
    """Return the conclusion in a few words."""
    return _HEADLINES[report.conclusion.value].format(rival=_rival(report))


def sentences(report: Results) -> list[str]:
    """Return what was found, one sentence a finding, for someone who buys media."""
    return list(findings(report).values())


def findings(report: Results) -> dict[str, str]:
    """Return the same sentences by what they are about."""
    return {
        "gain": _gain(report),
        "evidence": _proof(report),
        "support": _support(report),
        "agreement": _agreement(report),
        "doubt": _doubt(report),
    }


def table(report: Results) -> pd.DataFrame:
    """Return one row an estimator and policy."""
    import pandas as pd  # noqa: PLC0415  # heavy

    rows = [
        {
            "policy": f"{role} ({judged.name})",
            "estimator": name,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "effective_sample": found.ess,
            "max_weight": found.max_weight,
            "mean_weight": found.mean_weight,
            "decisions": found.n,
        }
        for role, judged in (("candidate", report.candidate), ("champion", report.champion))
        if judged is not None
        for name, found in judged.estimates.items()
    ]
    logged = report.logged
    rows.append(
        {
            "policy": "what was done",
            "estimator": "mean",
            "value": logged.value,
            "low": logged.low,
            "high": logged.high,
            "effective_sample": float(report.n),
            "max_weight": 1.0,
            "mean_weight": 1.0,
            "decisions": report.n,
        }
    )
    return pd.DataFrame(rows)


def support(report: Results) -> pd.DataFrame:
    """Return what a conclusion needs of the log, what was seen, and whether that is enough."""
    import pandas as pd  # noqa: PLC0415  # heavy

    rows = []
    for judged in (report.candidate, report.champion):
        if judged is None:
            continue
        found, limits = judged.support, judged.support.limits
        low, high = limits.mean_weight_low, limits.mean_weight_high
        checks = [
            (
                "as many decisions as if it had made them (ESS)",
                f"{found.ess:,.0f} of {found.n:,}",
                f"{found.needed:,.0f}",
                found.ess >= found.needed,
            ),
            (
                "its choices that could have been seen",
                f"{found.supported_share:.0%}",
                f"{limits.min_supported_share:.0%}",
                found.supported_share >= limits.min_supported_share,
            ),
            (
                "the log shows its choices as often as it should (mean weight, ideally 1)",
                f"{found.mean_weight:.2f}",
                f"{low:g} to {high:g}",
                low <= found.mean_weight <= high,
            ),
        ]
        rows += [
            {
                "policy": judged.name,
                "what is asked": asked,
                "seen": seen,
                "needed": needed,
                "enough": "yes" if enough else "no",
            }
            for asked, seen, needed, enough in checks
        ]
    return pd.DataFrame(rows)


def doubts(report: Results) -> pd.DataFrame:
    """Return one row a factor of odds: the least and the most the difference could be."""
    import pandas as pd  # noqa: PLC0415  # heavy

    found = report.sensitivity
    return pd.DataFrame(
        {
            "odds moved": [f"{gamma:g}-fold" for gamma in found.gammas],
            "at least": found.low,
            "at most": found.high,
            "could be nothing": [
                "yes" if low <= 0 <= high else "no"
                for low, high in zip(found.low, found.high, strict=True)
            ],
        }
    )


def archetypes(report: Results) -> pd.DataFrame:
    """Return one row an archetype: difference in value and agreement with people."""
    import pandas as pd  # noqa: PLC0415  # heavy

    agreed = report.candidate.agreement.by_archetype
    rows = []
    for name in sorted(set(agreed) | set(report.by_archetype)):
        gain, n = report.by_archetype.get(name, (None, 0))
        rows.append(
            {
                "archetype": name,
                "decisions": n,
                "difference": math.nan if gain is None else gain.value,
                "low": math.nan if gain is None else gain.low,
                "high": math.nan if gain is None else gain.high,
                **_agreed(agreed.get(name)),
            }
        )
    columns = ["archetype", "decisions", "difference", "low", "high", *_agreed(None)]
    return pd.DataFrame(rows, columns=columns)


def actions(report: Results) -> pd.DataFrame:
    """Return one row an action people had done: how often the candidate would have done it too."""
    import pandas as pd  # noqa: PLC0415  # heavy

    agreed = report.candidate.agreement.by_action
    rows = [{"done": name.replace("_", " "), **_agreed(part)} for name, part in agreed.items()]
    return pd.DataFrame(rows, columns=["done", *_agreed(None)]).drop(columns="kappa")


def _agreed(part: Agreement | None) -> dict[str, float]:
    rate = math.nan if part is None or part.rate is None else part.rate
    return {
        "judged_by_people": 0 if part is None else part.n,
        "agreement": rate,
        "agreement_low": math.nan if part is None else part.low,
        "agreement_high": math.nan if part is None else part.high,
        "kappa": math.nan if part is None or part.kappa is None else part.kappa,
    }


def html(report: Results) -> str:
    """Return headline, sentences, the picture, and the tables."""
    told = "".join(f"<li>{escaping.escape(text)}</li>" for text in sentences(report))
    parts = [
        f"<h4>{escaping.escape(headline(report))}</h4>",
        f"<p>{escaping.escape(report.why)}</p>",
        f"<ul>{told}</ul>",
        _picture(report),
    ]
    for title, frame in (
        ("Value per decision, by every estimator", table(report)),
        ("By archetype", archetypes(report)),
        ("By what people had done", actions(report)),
    ):
        if len(frame):
            shown = frame.to_html(index=False, float_format=_number, na_rep="unknown")
            parts.append(f"<h5>{title}</h5>{shown}")
    return f"<div>{''.join(parts)}</div>"


def _picture(report: Results) -> str:
    import base64  # noqa: PLC0415  # only for a page
    import io  # noqa: PLC0415  # only for a page

    buffer = io.BytesIO()
    pictures.figure(report, title=headline(report)).savefig(buffer, format="png", dpi=96)
    text = base64.b64encode(buffer.getvalue()).decode()
    named = "value, evidence, agreement and sensitivity"
    return f'<img alt="{named}" src="data:image/png;base64,{text}"/>'


def _rival(report: Results) -> str:
    return "what was done" if report.champion is None else f"{report.champion.name}, the champion"


def _gain(report: Results) -> str:
    gain = report.difference
    return (
        f"Each decision would have earned {gain.value:+.3g} compared with {_rival(report)} "
        f"(95 % interval {gain.low:+.3g} to {gain.high:+.3g}; {report.n:,} decisions)."
    )


def _proof(report: Results) -> str:
    line = 1.0 / report.evidence.alpha
    better, worse = report.evidence, report.counter_evidence
    seen = f"at most {better.peak:,.3g}" if better.peak < _MOST_SHOWN else "over a million"
    text = (
        f"Evidence that it is better reached {seen} to 1 ({line:.0f} to 1 decides: where it isn't "
        f"better, that happens in fewer than 1 of {line:.0f} comparisons, however often one looks)."
    )
    return f"{text} Evidence that it is worse: {min(worse.peak, _MOST_SHOWN):,.3g} to 1."


def _support(report: Results) -> str:
    found = report.candidate.support
    text = (
        f"{found.supported_share:.0%} of its choices had been tried; the log tells as much of it "
        f"as {found.ess:,.0f} decisions of its own would"
    )
    missing = f". Missing: {'; '.join(found.missing)}" if found.missing else ""
    return f"{text} (largest weight {found.max_weight:.3g}, mean {found.mean_weight:.2f}){missing}."


def _agreement(report: Results) -> str:
    found = report.candidate.agreement
    if found.rate is None:
        return "Agreement with people is unknown: nobody has judged a proposal yet."
    text = (
        f"In {found.rate:.0%} of {found.n:,} decisions people judged it would have done what they "
        f"had done ({found.low:.0%} to {found.high:.0%})"
    )
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return f"{text}."
    return (
        f"{text}; beyond chance, kappa is {found.kappa:.2f} "
        f"({found.kappa_low:.2f} to {found.kappa_high:.2f}; 0 is chance, 1 is always)."
    )


def _doubt(report: Results) -> str:
    found = report.sensitivity
    if found.falls_at is None:
        return (
            "People may have known more than the log holds: even if that moved the odds of an "
            f"approval {found.gammas[-1]:g}-fold, the sign of the difference would stand."
        )
    if found.falls_at <= found.gammas[0]:
        return "The log shows no difference that hidden reasons of people could take away."
    return (
        "People may have known more than the log holds: if that moved the odds of an approval "
        f"{found.falls_at:.2g}-fold or more, there may be no difference at all."
    )


def _number(value: float) -> str:
    return f"{value:,.3g}"
