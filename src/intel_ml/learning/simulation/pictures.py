"""An evaluation for the eye: the table in words, the picture, a page that stands alone.

Reads   `Results`.
Gives   rows of text, HTML, a matplotlib Figure.
Never   shows a value without its interval.
"""

from __future__ import annotations

import base64
import html as escaping
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.learning.evaluation.intervals import LEVEL, Interval, t_quantile
from intel_ml.learning.simulation.deciders import NOTHING, ORACLE, RANDOM, RULES
from intel_ml.learning.simulation.results import Line, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCENT, INK, QUIET, GRID = "#2f6db5", "#1f2933", "#616e7c", "#e4e7eb"
_COLOURS = {NOTHING: "#9aa5b1", RULES: "#c77d0a", RANDOM: "#b44d7a", ORACLE: "#2a8a57"}
_DOTS = 144
HEADERS = (
    "decider",
    "made more than doing nothing",
    "of spend",
    "more than the rules",
    "missed (regret)",
    "share of the oracle's gain",
    "changes",
)


def cells(evaluation: Results, line: Line) -> tuple[str, ...]:
    """Return one row of the table as text, money in the evaluation's currency."""
    share = line.share
    return (
        line.decider,
        money(line.value, evaluation.currency),
        f"{line.percent:+.0f} %" if math.isfinite(line.percent) else "",
        "" if line.decider == RULES else money(line.against_rules, evaluation.currency),
        "" if line.decider == ORACLE else money(line.regret, evaluation.currency),
        "" if share is None or line.decider in (RULES, ORACLE) else percent(share),
        f"{line.changes:,.0f}",
    )


def headline(evaluation: Results) -> str:
    """Return the answer in one sentence."""
    name, line = evaluation.policy, evaluation.line(evaluation.policy)
    gain = line.against_rules
    if name == RULES:
        return f"The rules alone made {money(line.value, evaluation.currency)} more than nothing."
    word = (
        "as much as" if gain.low <= 0 <= gain.high else "more than" if gain.low > 0 else "less than"
    )
    said = f"{name} makes {word} the rules ({money(gain, evaluation.currency)})"
    if line.share is None:
        return f"{said}; the oracle itself gains nothing certain over them."
    return f"{said}: {percent(line.share)} of what the oracle gains over them."


def subtitle(evaluation: Results) -> str:
    """Return what was played, in one line."""
    answered = f", answered by '{evaluation.approver}'" if evaluation.approver else ""
    count = len(evaluation.seeds)
    return (
        f"World '{evaluation.world}', {evaluation.days} days, "
        f"{count} seed{'s' if count != 1 else ''}{answered}; money in {evaluation.currency}, other "
        "currencies at equal targets; 95 % intervals over seeds."
    )


def money(one: Interval, currency: str) -> str:
    """Return an amount with its interval.

    >>> money(Interval(1200.0, 900.0, 1500.0), "USD")
    '+1,200 USD (+900 to +1,500)'
    """
    if not math.isfinite(one.low):
        return f"{one.value:+,.0f} {currency}"
    return f"{one.value:+,.0f} {currency} ({one.low:+,.0f} to {one.high:+,.0f})"


def percent(one: Interval) -> str:
    """Return a share with its interval.

    >>> percent(Interval(0.61, 0.5, 0.72))
    '61 % (50 to 72)'
    """
    if not math.isfinite(one.low):
        return f"{100 * one.value:.0f} %"
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"


def table_html(evaluation: Results) -> str:
    """Return the table as HTML, every name escaped."""
    head = "".join(f"<th>{escaping.escape(name)}</th>" for name in HEADERS)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escaping.escape(cell)}</td>" for cell in cells(evaluation, line))
        + "</tr>"
        for line in evaluation.lines
    )
    return (
        f"<p><b>{escaping.escape(headline(evaluation))}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escaping.escape(subtitle(evaluation))}</p>"
    )


def page(evaluation: Results) -> str:
    """Return a page that needs nothing else: title, table, picture."""
    file = io.BytesIO()
    value_figure(evaluation).savefig(file, format="png", dpi=_DOTS)
    picture = base64.b64encode(file.getvalue()).decode()
    title = escaping.escape(f"{evaluation.policy} in {evaluation.world}")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{title}</title><style>body{{font:15px/1.5 system-ui,sans-serif;color:{INK};"
        "max-width:70rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}"
        f"th,td{{text-align:right;padding:.3rem .8rem;border-bottom:1px solid {GRID}}}"
        "th:first-child,td:first-child{text-align:left}img{max-width:100%}</style></head>"
        f"<body><h1>{title}</h1>{table_html(evaluation)}"
        f"<img alt='Value over the days' src='data:image/png;base64,{picture}'></body></html>\n"
    )


def value_figure(evaluation: Results) -> Figure:
    """Return value over the days, a line a decider, with bands over seeds."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # heavy

    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.subplots()
    for name in evaluation.outcomes:
        if name != NOTHING:
            _curve(axes, evaluation, name)
    axes.axhline(0, color=QUIET, linewidth=1)
    axes.set_xlabel("day")
    axes.set_ylabel(f"made more than doing nothing, {evaluation.currency}")
    axes.set_title(headline(evaluation), loc="left", fontsize=10, color=INK, wrap=True)
    axes.grid(visible=True, color=GRID)
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return figure


def _curve(axes: Axes, evaluation: Results, name: str) -> None:
    curves = evaluation.curve(name)
    count, days = curves.shape
    x, mean = np.arange(1, days + 1), curves.mean(axis=0)
    colour = _COLOURS.get(name, ACCENT)
    is_policy = name == evaluation.policy
    axes.plot(x, mean, color=colour, linewidth=2.4 if is_policy else 1.5, label=name)
    if count > 1:
        reach = t_quantile(LEVEL, count - 1) * curves.std(axis=0, ddof=1) / math.sqrt(count)
        axes.fill_between(x, mean - reach, mean + reach, color=colour, alpha=0.14, linewidth=0)
