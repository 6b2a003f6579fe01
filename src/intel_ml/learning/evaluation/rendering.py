"""A comparison for the eye: tables, a picture, and the page a notebook shows.

Reads   `Results`.
Gives   frames, a matplotlib Figure, HTML with every name escaped.
Never   shows a value without its interval.
"""

from __future__ import annotations

import html as escaping
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from intel_ml.learning.evaluation.results import Results

ACCENT, RIVAL, INK, QUIET, GRID = "#2f6db5", "#8a94a0", "#1f2933", "#616e7c", "#e4e7eb"
_HEADLINES = {
    "better": "Better than the champion",
    "worse": "Worse than the champion",
    "inconclusive": "Inconclusive: keep collecting",
    "refused": "Refused: the log cannot tell",
}

_FEW_BARS = 4


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


def archetypes(report: Results) -> pd.DataFrame:
    """Return one row an archetype."""
    import pandas as pd  # noqa: PLC0415  # heavy

    agreed = report.candidate.agreement.by_archetype
    rows = []
    for name in sorted(set(agreed) | set(report.by_archetype)):
        gain, n = report.by_archetype.get(name, (None, 0))
        same = agreed.get(name)
        rows.append(
            {
                "archetype": name,
                "decisions": n,
                "difference": math.nan if gain is None else gain.value,
                "low": math.nan if gain is None else gain.low,
                "high": math.nan if gain is None else gain.high,
                "judged_by_people": 0 if same is None else same.n,
                "agreement": math.nan if same is None or same.rate is None else same.rate,
                "kappa": math.nan if same is None or same.kappa is None else same.kappa,
            }
        )
    columns = [
        "archetype",
        "decisions",
        "difference",
        "low",
        "high",
        "judged_by_people",
        "agreement",
        "kappa",
    ]
    return pd.DataFrame(rows, columns=columns)


def html(report: Results) -> str:
    """Return headline, reason, numbers, tables and the picture."""
    facts = [
        (
            "Difference in value",
            _span(report.difference.value, report.difference.low, report.difference.high),
        ),
        ("E-value", f"{report.evidence.e_value:.3g} (20 would decide)"),
        ("Support", _support(report)),
        ("Agreement with people", _agreement(report)),
        ("Decisions", f"{report.n:,}"),
    ]
    lines = "".join(
        f"<tr><td>{escaping.escape(name)}</td><td>{escaping.escape(text)}</td></tr>"
        for name, text in facts
    )
    frame = table(report)
    by = archetypes(report)
    parts = [
        f"<h4>{_HEADLINES[report.conclusion.value]}</h4>",
        f"<p>{escaping.escape(report.why)}</p>",
        f"<table>{lines}</table>",
        frame.to_html(index=False, float_format=_number, na_rep="unknown"),
    ]
    if len(by):
        parts.append(by.to_html(index=False, float_format=_number, na_rep="unknown"))
    return f"<div>{''.join(parts)}{_picture(report)}</div>"


def figure(report: Results) -> Figure:
    """Return value with intervals, evidence over time, and agreement by archetype."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    picture = Figure(figsize=(11.5, 3.8), layout="constrained")
    values, evidence, agreed = picture.subplots(1, 3, width_ratios=(1.2, 1, 1))
    _values(values, report)
    _evidence(evidence, report)
    _agreed(agreed, report)
    for axes in (values, evidence, agreed):
        axes.tick_params(colors=QUIET, which="both", labelsize=8.5)
        axes.set_axisbelow(True)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(GRID)
    picture.suptitle(
        f"{_HEADLINES[report.conclusion.value]}: {report.why}",
        fontsize=10,
        color=INK,
        x=0.01,
        ha="left",
        wrap=True,
    )
    return picture


def _values(axes: Axes, report: Results) -> None:
    names = [name for name in report.candidate.estimates if name != "DM"]
    rows = np.arange(len(names))
    for judged, colour, shift in (
        (report.candidate, ACCENT, -0.13),
        (report.champion, RIVAL, 0.13),
    ):
        if judged is None:
            continue
        found = [judged.estimates.get(name, report.candidate.estimates[name]) for name in names]
        middle = np.array([f.value for f in found])
        low, high = np.array([f.low for f in found]), np.array([f.high for f in found])
        axes.errorbar(
            middle,
            rows + shift,
            xerr=np.vstack([middle - low, high - middle]),
            fmt="o",
            color=colour,
            markersize=5,
            capsize=3,
            linewidth=1.4,
            label=judged.name if judged is report.candidate else f"{judged.name} (champion)",
        )
    axes.axvspan(report.logged.low, report.logged.high, color=GRID, zorder=0)
    axes.axvline(report.logged.value, color=QUIET, linewidth=1, zorder=1, label="what was done")
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel("reward a decision, 95 % interval", color=INK, fontsize=9)
    axes.set_title("Value", loc="left", fontsize=10, color=INK)
    axes.legend(frameon=False, fontsize=8, loc="best")


def _evidence(axes: Axes, report: Results) -> None:
    steps = np.arange(1, len(report.evidence.path) + 1)
    axes.plot(steps, report.evidence.path, color=ACCENT, linewidth=1.5, label="better")
    axes.plot(
        steps, report.counter_evidence.path, color=RIVAL, linewidth=1.6, ls=":", label="worse"
    )
    axes.axhline(1 / report.evidence.alpha, color=INK, linewidth=0.8, linestyle="--")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("decisions", color=INK, fontsize=9)
    axes.set_ylabel("e-value (dashed: enough)", color=INK, fontsize=9)
    axes.set_title("Evidence", loc="left", fontsize=10, color=INK)
    axes.legend(frameon=False, fontsize=8, loc="best")


def _agreed(axes: Axes, report: Results) -> None:
    whole = report.candidate.agreement
    parts = {"all": whole} | dict(whole.by_archetype)
    known = [(name, part) for name, part in parts.items() if part.rate is not None]
    axes.set_title("Agreement with people", loc="left", fontsize=10, color=INK)
    axes.set_xlim(0, 1)
    axes.set_xlabel("same action, share", color=INK, fontsize=9)
    if not known:
        axes.set_yticks([])
        axes.text(
            0.5, 0.5, "nobody has judged\na proposal yet", ha="center", va="center", color=QUIET
        )
        return
    rates = np.array([part.rate for _, part in known], dtype=np.float64)
    low = rates - np.array([part.low for _, part in known])
    high = np.array([part.high for _, part in known]) - rates
    rows = np.arange(len(known))
    axes.barh(rows, rates, color=ACCENT, height=0.55)
    axes.errorbar(
        rates, rows, xerr=np.vstack([low, high]).clip(min=0), fmt="none", color=INK, linewidth=1
    )
    axes.set_yticks(rows, [f"{_short(name)} ({part.n})" for name, part in known])
    # Room for a few bars even where there is one: a lone bar would fill the panel.
    axes.set_ylim(max(len(known), _FEW_BARS) - 0.5, -0.5)


def _picture(report: Results) -> str:
    import base64  # noqa: PLC0415  # only for a page
    import io  # noqa: PLC0415  # only for a page

    buffer = io.BytesIO()
    figure(report).savefig(buffer, format="png", dpi=96)
    text = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="value, evidence and agreement" src="data:image/png;base64,{text}"/>'


def _support(report: Results) -> str:
    found = report.candidate.support
    return (
        f"effective sample {found.ess:.0f} of {found.n}, mean weight {found.mean_weight:.2f}, "
        f"{found.supported_share:.0%} of its choices were tried"
    )


def _agreement(report: Results) -> str:
    found = report.candidate.agreement
    if found.rate is None:
        return "nobody has judged a proposal yet"
    kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
    return f"{found.rate:.0%} of {found.n}{kappa}"


def _span(value: float, low: float, high: float) -> str:
    return f"{value:+.3g} ({low:+.3g} to {high:+.3g})"


def _number(value: float) -> str:
    return f"{value:,.3g}"


def _short(name: str, length: int = 44) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
