"""One cell to a number, an amount, a day.

    1,234.56   1 234,56   1.234,56   1234.5    are all read; a file has one decimal mark
    an empty cell, "-" and "N/A"               are unknown, not zero

Reads   text.
Gives   whole counts, exact decimals, days; None for the unknown.
Never   takes a negative, a formula, or NaN for a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from intel_ml.core.errors import InvalidValueError

_UNKNOWN = frozenset({"", "-", "\u2013", "\u2014", "n/a", "na", "null", "none"})
_SPACES = re.compile(r"[\s'  ]")
_COMMA_DECIMAL = re.compile(r"\d{1,3}(?:[.\s  ]\d{3})*,\d+|\d+,\d+")
_POINT_DECIMAL = re.compile(r"[\d,]*\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:[,.]\d{3})+(?![\d])")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
_LARGEST = Decimal(10**15)


def has_decimal_comma(cells: Iterable[str], delimiter: str) -> bool:
    """Return whether the file writes 1,5 for one and a half.

    Never where the comma separates cells.
    """
    if delimiter == ",":
        return False
    known = [cell for cell in cells if "," in cell or "." in cell]
    commas = [cell for cell in known if _COMMA_DECIMAL.fullmatch(cell)]
    points = [c for c in known if _POINT_DECIMAL.fullmatch(c) and not _GROUPED.fullmatch(c)]
    proven = any(not _GROUPED.fullmatch(cell) for cell in commas)
    return bool(commas) and not points and (proven or delimiter == ";")


def number(text: str, *, where: str, decimal_comma: bool) -> Decimal | None:
    """Return the cell's number; None when it says nothing.

    >>> number("1,234.50", where="line 2", decimal_comma=False)
    Decimal('1234.50')
    """
    if text.lower() in _UNKNOWN:
        return None
    bare = _SPACES.sub("", text)
    mark, group = (",", ".") if decimal_comma else (".", ",")
    whole, _, rest = bare.partition(mark)
    if group in whole and not _GROUPED.fullmatch(whole):
        raise InvalidValueError(path=where, problem=f"'{text[:60]}' is not a number")
    plain = whole.replace(group, "") + (f".{rest}" if rest else "")
    if not _NUMBER.fullmatch(plain):
        raise InvalidValueError(path=where, problem=f"'{text[:60]}' is not a number of at least 0")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise InvalidValueError(path=where, problem=f"'{text[:60]}' is not a number") from None
    if value > _LARGEST:
        raise InvalidValueError(path=where, problem=f"'{text[:60]}' is larger than any account")
    return value


def whole_number(text: str, *, where: str, decimal_comma: bool) -> int | None:
    """Return the cell's count; None when it says nothing."""
    value = number(text, where=where, decimal_comma=decimal_comma)
    if value is not None and value != value.to_integral_value():
        raise InvalidValueError(path=where, problem=f"'{text[:60]}' is not a whole number")
    return None if value is None else int(value)


def day_of(text: str, *, where: str) -> date:
    """Return the cell's day, written year first: any other order would be a guess."""
    try:
        return date.fromisoformat(text.replace("/", "-")[:10])
    except ValueError:
        raise InvalidValueError(
            path=where, problem=f"'{text[:60]}' is not a day", hint="Write 2026-11-22."
        ) from None
