"""Words and numbers as they stand on a page: escaped, with units, in the account's zone.

Reads   text from outside, numbers, moments.
Gives   HTML that is inert whatever the text was.
Never   lets a name close a tag, open a template or turn the reading direction.
"""

from __future__ import annotations

import html
import math
import re
from datetime import datetime, timedelta
from decimal import Decimal

from intel_ml.core.days import time_zone
from intel_ml.core.money import CURRENCIES, WHOLE_CURRENCIES

LONGEST = 160
UNKNOWN = "unknown"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]"
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WHOLE_FROM = 1000
_SMALL = 0.1
_CENTS = 100


def safe(text: object, *, longest: int = LONGEST) -> str:
    """Return `text` as HTML that shows it and does nothing else.

    >>> safe("<img src=x onerror=alert(1)>")
    '&lt;img src=x onerror=alert(1)&gt;'
    >>> safe("${1+1} {{x}}")
    '&#36;&#123;1+1&#125; &#123;&#123;x&#125;&#125;'
    """
    plain = _CONTROL.sub("", _ANSI.sub("", str(text).replace("\n", " ").replace("\t", " ")))
    if len(plain) > longest:
        plain = plain[: longest - 1].rstrip() + "…"
    escaped = html.escape(plain, quote=True)
    for sign in "{}$`":
        escaped = escaped.replace(sign, f"&#{ord(sign)};")
    return escaped


def number(value: float) -> str:
    """Return a number with separators and no more digits than it deserves.

    >>> number(1234.5), number(0.04567), number(3.0), number(2.128)
    ('1,234', '0.0457', '3', '2.13')
    """
    if not math.isfinite(value):
        return UNKNOWN
    if value == int(value) or abs(value) >= _WHOLE_FROM:
        text = f"{value:,.0f}"
    elif abs(value) < _SMALL:
        text = f"{value:.3g}"
    else:
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def amount(value: float | Decimal, currency: str) -> str:
    """Return money in major units as read by people, without the currency.

    >>> amount(1234.5, "USD"), amount(1234.0, "JPY")
    ('1,234.50', '1,234')
    """
    return f"{value:,.{0 if currency in WHOLE_CURRENCIES else 2}f}"


def quantity(value: float | str | None, unit: str | None) -> str:
    """Return an observed or limiting value with its unit, as plain text.

    >>> quantity(68.5, "USD"), quantity(None, "%"), quantity(-12.0, "%"), quantity(3.0, None)
    ('68.50 USD', 'unknown', '\u221212%', '3')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if unit in CURRENCIES:
        return f"{amount(value, str(unit))} {unit}"
    gap = "" if unit == "%" else " "
    return f"{number(value)}{gap}{unit}" if unit else number(value)


def percent(share: float) -> str:
    """Return a share as whole percent.

    >>> percent(0.815)
    '82%'
    """
    return f"{math.floor(share * _CENTS + 0.5)}%"


def span(length: timedelta) -> str:
    """Return how long, in the two units that matter.

    >>> (
    ...     span(timedelta(hours=3, minutes=20)),
    ...     span(timedelta(days=2, hours=4)),
    ...     span(timedelta(seconds=20)),
    ... )
    ('3 h 20 min', '2 d 4 h', 'less than a minute')
    """
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    return f"{days} d {hours} h" if hours else f"{days} d"


def exact(moment: datetime, zone: str) -> str:
    """Return the moment as the account's wall clock shows it.

    >>> from datetime import UTC
    >>> exact(datetime(2026, 11, 22, 3, 5, tzinfo=UTC), "Asia/Tokyo")
    'Sun 22 Nov 2026, 12:05 Asia/Tokyo'
    """
    return f"{moment.astimezone(time_zone(zone)):%a %d %b %Y, %H:%M} {zone}"


def ago(moment: datetime, *, now: datetime, zone: str) -> str:
    """Return a moment as a `<time>`: relative to read, exact on hover."""
    length = now - moment
    ahead = length < timedelta()
    words = f"in {span(length)}" if ahead else f"{span(length)} ago"
    return _time(moment, words, zone)


def left(until: datetime, *, now: datetime, zone: str) -> str:
    """Return how much time is left as a `<time>`; the last hour presses, in words too."""
    rest = until - now
    if rest <= timedelta():
        return _time(until, "time is up", zone, mark="danger")
    if rest < timedelta(hours=1):
        return _time(until, f"only {span(rest)} left", zone, mark="danger")
    return _time(until, f"{span(rest)} left", zone)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    >>> plural(1, "proposal"), plural(1200, "entity", "entities")
    ('1 proposal', '1,200 entities')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def led(text: str, *, longest: int = 400) -> str:
    """Return a sentence whose first word stands out: it names what happened.

    >>> led("Expired, nothing was changed.")
    '<b>Expired</b>, nothing was changed.'
    """
    first = re.match(r"[^\s,.:;]+", text)
    end = first.end() if first else 0
    return f"<b>{safe(text[:end])}</b>{safe(text[end:], longest=longest)}" if end else safe(text)


def _time(moment: datetime, words: str, zone: str, *, mark: str = "") -> str:
    css = f' class="{mark}"' if mark else ""
    title = safe(exact(moment, zone))
    return f'<time{css} datetime="{moment.isoformat()}" title="{title}">{words}</time>'
