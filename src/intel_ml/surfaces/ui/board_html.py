"""The dashboard of one account as HTML: four numbers, how it goes, what was done and learned.

Reads   a `Dashboard`.
Gives   HTML.
Never   prints a number that is not known: a sentence stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from intel_ml.core.days import time_zone
from intel_ml.core.money import Money
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.reporting.dashboard import Dashboard, Pattern, Score
from intel_ml.surfaces.ui.autonomy_html import autonomy_html
from intel_ml.surfaces.ui.card_html import TROUBLE, TRY_TAG, headline_html
from intel_ml.surfaces.ui.charts import Panel, Shape, picture
from intel_ml.surfaces.ui.wording import DASH, MINUS, ago, led, percent, plural, safe

WEEK, MONTH = "7", "30"
_PART_NAMES = {
    "learning_health": "Learning",
    "performance": "Performance",
    "budget_efficiency": "Budget",
    "creative_health": "Creative",
}


_ADVICE = {
    "pause": "Pause",
    "reduce": "Cut the budget of",
    "scale": "Raise the budget of",
    "refresh": "Renew the creative of",
}


def board_html(board: Dashboard, *, names: Mapping[str, str], days: str = WEEK) -> str:
    """Return the board; `names` are those of entities by "type:id", `days` those of the trend."""
    return (
        f"{_tiles(board)}{_trend(board, days)}"
        '<div class="two even">'
        f"<div>{_recommendations(board)}{_advice(board.score, names)}{_archetypes(board)}</div>"
        f"<div>{_recent(board)}{_patterns(board.patterns)}{_score_parts(board.score)}</div>"
        f"</div>{autonomy_html(board)}"
    )


def _tiles(board: Dashboard) -> str:
    tiles = [
        _score_tile(board.score, zone=board.account.time_zone),
        _tile(
            "Waiting for you",
            f"{board.pending:,}",
            _review(board) if board.pending else _checked(board),
        ),
        _tile("Rules on", f"{board.active_rules:,}", '<a href="/rules">All rules &rsaquo;</a>'),
        _savings_tile(board),
    ]
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def _tile(name: str, value: str, note: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"


def _score_tile(score: Score | None, *, zone: str) -> str:
    if score is None or score.overall is None:
        return _tile("Account score", DASH, "Nothing to judge by yet; scored once a day.")
    change = "no earlier score to compare with"
    if score.change is not None:
        sign = "↑ +" if score.change > 0 else f"↓ {MINUS}" if score.change < 0 else "→ ±"
        css = ' class="danger"' if score.change < 0 else ""
        change = f"<span{css}>{sign}{abs(score.change)} points</span> {_since(score, zone)}"
    return _tile("Account score", f'{score.overall}<span class="of"> of 100</span>', change)


def _since(score: Score, zone: str) -> str:
    if score.since is None or score.calculated_at - score.since >= timedelta(days=7):
        return "in a week"
    return f"since {score.since.astimezone(time_zone(zone)):%-d %b}"


def _savings_tile(board: Dashboard) -> str:
    saved = board.savings
    if saved.amount is None:
        return _tile("Saved this month", DASH, safe(saved.note, longest=120))
    between = f"between {_money(saved.low)} and {_money(saved.high)}, {plural(saved.n, 'change')}"
    return _tile("Saved this month", safe(saved.amount), between)


def _trend(board: Dashboard, days: str) -> str:
    points = board.month if days == MONTH else board.week
    choices = "".join(
        f'<button type="button" data-choose="days" data-value="{one}" '
        f'aria-pressed="{str((one == MONTH) == (days == MONTH)).lower()}">{one} days</button>'
        for one in (WEEK, MONTH)
    )
    return (
        '<section class="panel"><h2>Performance '
        f'<span class="segments" role="group" aria-label="Days">{choices}</span></h2>'
        f"{_picture(board, points)}</section>"
    )


def _picture(board: Dashboard, points: Sequence[TrendPoint]) -> str:
    if not any(point.spend for point in points):
        return '<p class="quiet">No delivery was seen in these days.</p>'
    currency = board.account.currency
    target = board.account.target_cpa
    panels = (
        Panel(
            "ROAS",
            "value per unit spent",
            tuple(p.roas for p in points),
            limit=board.account.target_roas,
            limit_name="target",
            height=96,
        ),
        Panel(
            "Cost per result",
            currency,
            tuple(p.cpa for p in points),
            limit=float(target.major) if target else None,
            limit_name="target",
            height=96,
        ),
        Panel(
            "Spend (last bar: today so far)",
            currency,
            tuple(p.spend for p in points),
            Shape.BARS,
            height=96,
        ),
    )
    days = [point.day for point in points]
    drawn = "".join(picture([panel], days=days, marked=None) for panel in panels)
    return f'<div class="three">{drawn}</div>'


def _recent(board: Dashboard) -> str:
    items = "".join(_done(board, card) for card in board.recent)
    body = (
        f"<ul>{items}</ul>"
        if items
        else '<p class="quiet">Nothing was done in the last 30 days.</p>'
    )
    return (
        '<section class="panel"><h2>Recent actions <a href="/history">All &rsaquo;</a></h2>'
        f"{body}</section>"
    )


def _done(board: Dashboard, card: Card) -> str:
    sign = "⚠ " if card.status in TROUBLE else ""
    when = ago(card.decided_at or card.created_at, now=board.now, zone=card.time_zone)
    return (
        f'<li><a href="/?action={card.action_id}">{headline_html(card)}</a>{when}'
        f"<small>{sign}{led(card.says, longest=140)}</small></li>"
    )


def _recommendations(board: Dashboard) -> str:
    items = "".join(
        f'<li><a href="/?action={card.action_id}">{headline_html(card)}</a>'
        f'<span class="num">{safe(card.stake)}</span>'
        f"<small>{TRY_TAG if card.is_try else ''}{safe(card.why)}</small></li>"
        for card in board.recommendations
    )
    nothing = f'<p class="quiet">Nothing waits in this account. {_checked(board)}</p>'
    body = f"<ol>{items}</ol>" if items else nothing
    return f'<section class="panel"><h2>Top recommendations {_review(board)}</h2>{body}</section>'


def _review(board: Dashboard) -> str:
    return f'<a href="/?account={safe(board.account.id)}">Review &rsaquo;</a>'


def _advice(score: Score | None, names: Mapping[str, str]) -> str:
    items = "".join(
        f"<li><span>{safe(_advised(str(one.get('action', ''))))} "
        f"<em>{safe(_name(one, names), longest=90)}</em></span>"
        f'<span class="tag">{safe(one.get("priority", ""))}</span>'
        f"<small>{safe(one.get('reason', ''), longest=240)}</small></li>"
        for one in (score.recommendations if score else ())
    )
    body = f"<ul>{items}</ul>" if items else '<p class="quiet">Nothing stands out.</p>'
    return f'<section class="panel"><h2>What would lift the score</h2>{body}</section>'


def _advised(action: str) -> str:
    return _ADVICE.get(action, action.capitalize())


def _name(advice: Mapping[str, Any], names: Mapping[str, str]) -> str:
    entity = str(advice.get("entity", ""))
    return names.get(entity, entity)


def _patterns(found: Sequence[Pattern]) -> str:
    items = "".join(
        f"<li><span>{safe(one.says, longest=240)}</span>"
        f'<span class="num">{percent(one.confidence)}</span>'
        f"<small>from {plural(one.sample_size, 'observation')}</small></li>"
        for one in found
    )
    body = (
        f"<ul>{items}</ul>"
        if items
        else '<p class="quiet">Nothing holds often enough yet; it is looked for daily.</p>'
    )
    return (
        '<section class="panel"><h2>Learned patterns <span class="quiet num">confidence</span></h2>'
        f"{body}</section>"
    )


def _archetypes(board: Dashboard) -> str:
    total = sum(board.archetypes.values())
    rows = "".join(
        f"<tr><td>{safe(name)}</td>"
        f'<td class="barcell"><i style="width:{100 * count / total:.1f}%"></i></td>'
        f'<td class="num">{count:,}</td></tr>'
        for name, count in board.archetypes.items()
    )
    body = (
        f'<table class="pmf kinds"><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="quiet">No kinds (archetypes) yet: they come with the first training.</p>'
    )
    return (
        '<section class="panel"><h2>Kinds of ad sets <span class="quiet num">ad sets</span></h2>'
        f'{body}<p class="quiet checked">{_checked(board)}</p></section>'
    )


def _score_parts(score: Score | None) -> str:
    rows = "".join(
        f"<tr><td>{name}</td>"
        + (
            f'<td class="barcell"><i style="width:{value}%"></i></td>'
            f'<td class="num">{value}</td></tr>'
            if (value := score.parts.get(part)) is not None
            else '<td class="quiet" colspan="2">nothing to judge by</td></tr>'
        )
        for part, name in _PART_NAMES.items()
        if score
    )
    body = (
        f'<table class="pmf kinds"><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="quiet">Not scored yet.</p>'
    )
    return (
        '<section class="panel"><h2>What the score is made of '
        f'<span class="quiet num">of 100</span></h2>{body}</section>'
    )


def _checked(board: Dashboard) -> str:
    cycle = board.last_cycle
    if cycle is None:
        return "The account was not looked at yet."
    when = ago(cycle.at, now=board.now, zone=board.account.time_zone)
    fired = f"A rule fired for {cycle.hits:,} of them" if cycle.hits else "No rule fired"
    held = f"; {cycle.held_out:,} left alone to compare with" if cycle.held_out else ""
    return f"{safe(cycle.says)} {fired}{held}, {when}."


def _money(value: Money | None) -> str:
    return safe(value) if value is not None else "unknown"
