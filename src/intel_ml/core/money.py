"""Money: integer minor units with their currency, by Meta's own offsets.

Reads   amounts as Meta writes them: minor units in budgets, major units in insights.
Gives   `Money`, exact conversions, and what a person reads.
Never   holds a float; never guesses the offset of an unknown currency.

The offset is 100 for every currency but those of `WHOLE_CURRENCIES`, where it is 1. It differs
from ISO 4217: HUF, TWD,
IDR, COP, CRC and ISK are whole here, BHD and JOD have two digits (Marketing API, "Currencies").
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from intel_ml.core.errors import InvalidValueError

_WHOLE = "CLP COP CRC HUF ISK IDR JPY KRW PYG TWD VND"
_HUNDREDTHS = (
    "AED ARS AUD BDT BHD BGN BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR GBP GTQ HKD HNL ILS INR JOD "
    "KES LBP LKR MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD SAR SEK SGD THB TRY UAH "
    "USD UYU VEF VES ZAR"
)
WHOLE_CURRENCIES = frozenset(_WHOLE.split())
CURRENCIES = WHOLE_CURRENCIES | frozenset(_HUNDREDTHS.split())


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` units of `currency`.

    >>> Money(12_50, "EUR")
    Money(minor=1250, currency='EUR')
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        currency_offset(self.currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor) / currency_offset(self.currency)

    def changed_by(self, percent: int) -> Money:
        """Return this amount changed by `percent`, as an exact number of minor units.

        >>> Money(5000, "JPY").changed_by(10)
        Money(minor=5500, currency='JPY')
        """
        return Money(_round(Decimal(self.minor) * (100 + percent) / 100), self.currency)

    def __str__(self) -> str:
        digits = 0 if self.currency in WHOLE_CURRENCIES else 2
        return f"{self.major:,.{digits}f} {self.currency}"


def currency_offset(currency: str) -> int:
    """Return how many minor units make one major unit of `currency`."""
    if currency not in CURRENCIES:
        raise InvalidValueError(
            path="currency",
            problem=f"'{currency}' is not a currency of Meta's table",
            hint="Its minor units are unknown, so no amount in it is accepted.",
        )
    return 1 if currency in WHOLE_CURRENCIES else 100


def money_from_major(text: str | Decimal | int, currency: str) -> Money:
    """Return an amount given in major units, as in insights.

    >>> money_from_major("14.35", "USD")
    Money(minor=1435, currency='USD')
    """
    try:
        amount = Decimal(str(text))
    except InvalidOperation as error:
        raise InvalidValueError(path="amount", problem=f"'{text}' is not a number") from error
    if not amount.is_finite():
        raise InvalidValueError(path="amount", problem=f"'{text}' is not a finite number")
    return Money(_round(amount * currency_offset(currency)), currency)


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
