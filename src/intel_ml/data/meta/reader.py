"""One account, one look: what is there, what it delivered so far, what Meta says of closed days.

Reads   the Graph API, through the official SDK and one batch a look.
Gives   `Look`, `AccountFacts`, pixels.
Never   writes, stores, or decides; never loses the parts that came because one did not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import structlog

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow, account_day, time_zone
from intel_ml.core.errors import InvalidValueError, PlatformError
from intel_ml.core.ids import AdAccountId, account_id
from intel_ml.core.money import currency_offset
from intel_ml.data.facts import Delivered, Described, Pixel, Refused
from intel_ml.data.meta import pixels as pixel_facts
from intel_ml.data.meta import questions
from intel_ml.data.meta.connection import connect
from intel_ml.data.meta.pages import Answer, Line, ask
from intel_ml.data.meta.rows import Parsed, clean, count, delivered, described, storable
from intel_ml.data.meta.usage import CallBudget, ReadLimits

log = structlog.get_logger(__name__)

_ONE_DAY = timedelta(days=1)
_MYSELF = "me"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An ad account as Meta describes it."""

    id: AdAccountId
    name: str
    currency: str
    time_zone: str
    status: int | None
    min_daily_budget_minor: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at one account brought; `problems` names the parts that are missing."""

    account: AdAccountId
    entities: tuple[Described, ...]
    today: tuple[Delivered, ...]
    days: tuple[Delivered, ...]
    refused: tuple[Refused, ...]
    calls: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PixelLook:
    """The pixels of an account."""

    pixels: tuple[Pixel, ...]
    refused: tuple[Refused, ...]
    calls: int
    problems: tuple[str, ...]


@dataclass
class MetaReader:
    """Reads ad accounts from the Graph host at `graph_url`."""

    graph_url: str
    token: str = field(repr=False)
    _: KW_ONLY
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    timeout_s: float = 30
    limits: ReadLimits = field(default_factory=ReadLimits)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        self._budget = CallBudget(self.limits)

    def accounts(self, *, now: datetime | None = None) -> list[AccountFacts]:
        """Return the accounts the token may read.

        One in a currency that is not known is left out.
        """
        line = self._line(_MYSELF, now)
        (answer,) = ask(line, [questions.my_accounts(self.limits.rows_per_page)])
        if answer.error is not None:
            raise answer.error
        found = []
        for row in answer.rows:
            try:
                found.append(_account_facts(row))
            except InvalidValueError as error:
                named = row.get("id") if isinstance(row, Mapping) else None
                log.warning("account left out", account=clean(str(named)), reason=str(error))
        return found

    def look(
        self,
        account: Account,
        *,
        days: DayWindow | None = None,
        with_structure: bool = True,
        now: datetime | None = None,
    ) -> Look:
        """Return structure, today so far and, if `days` are named, each closed day, in one batch.

        `now` is the platform's moment; calls are counted against the hour it lies in.

        Raises
        ------
        PlatformError
            When no part of the look arrived; its class says whether to wait, to renew the token, or
            to try again.
        """
        moment = now or datetime.now(UTC)
        line = self._line(account.id, moment)
        limit, levels = self.limits.rows_per_page, questions.LEVELS
        asked = (
            [questions.structure(account.id, level, limit) for level in levels]
            if with_structure
            else []
        )
        asked += [questions.today(account.id, level, limit) for level in levels]
        if days:
            asked += [questions.closed_days(account.id, level, days, limit) for level in levels]
        answers = ask(line, asked)
        _raise_if_nothing_came(answers)

        parts = iter(answers)
        structure = (
            [described(next(parts).rows, account=account, level=v) for v in levels]
            if with_structure
            else []
        )
        day = account_day(moment, account.time_zone)
        # Around midnight the platform may already be, or still be, in the day beside ours.
        near = DayWindow(day - _ONE_DAY, day + 2 * _ONE_DAY)
        so_far = [
            delivered(next(parts).rows, account=account, level=level, days=near) for level in levels
        ]
        closed = (
            [
                delivered(next(parts).rows, account=account, level=level, days=days)
                for level in levels
            ]
            if days
            else []
        )
        return Look(
            account=account.id,
            entities=tuple(fact for part in structure for fact in part.facts),
            today=tuple(fact for part in so_far for fact in part.facts),
            days=tuple(fact for part in closed for fact in part.facts),
            refused=_refused(structure) + _refused(so_far) + _refused(closed),
            calls=line.calls,
            problems=_problems(answers, [_name(q.path, q.params) for q in asked]),
        )

    def pixels(self, account: Account, *, now: datetime | None = None) -> PixelLook:
        """Return every pixel with its events of seven days and its match quality."""
        moment = now or datetime.now(UTC)
        line = self._line(account.id, moment)
        (listed,) = ask(line, [questions.pixels(account.id, self.limits.rows_per_page)])
        if listed.error is not None:
            raise listed.error
        rows = [row for row in listed.rows if isinstance(row, Mapping) and row.get("id")]
        asked = [
            q
            for row in rows
            for q in (
                questions.pixel_events(str(row["id"]), moment),
                questions.pixel_quality(str(row["id"])),
            )
        ]
        answers = ask(line, asked)
        found, refused = [], []
        for row, events, quality in zip(rows, answers[::2], answers[1::2], strict=True):
            hours = None if events.error else events.rows
            body = None if quality.error else quality.body
            try:
                found.append(
                    pixel_facts.pixel(
                        row, hours=hours, quality=body, now=moment, zone=account.time_zone
                    )
                )
            except InvalidValueError as error:
                refused.append(Refused("pixels", clean(str(error)), storable(row)))
        problems = _problems(answers, [_name(q.path, q.params) for q in asked])
        return PixelLook(tuple(found), tuple(refused), line.calls, problems)

    @cached_property
    def _api(self) -> Any:
        return connect(
            self.graph_url,
            self.token,
            app_id=self.app_id,
            app_secret=self.app_secret,
            timeout_s=self.timeout_s,
        )

    def _line(self, account: str, now: datetime | None) -> Line:
        return Line(
            self._api, self.graph_url, account, now or datetime.now(UTC), self._budget, self.sleep
        )


def _account_facts(row: Any) -> AccountFacts:
    if not isinstance(row, Mapping):
        raise InvalidValueError(path="row", problem=f"{row!r:.60} is not an account")
    currency_offset(str(row.get("currency")))
    time_zone(str(row.get("timezone_name")))
    least, status = row.get("min_daily_budget"), row.get("account_status")
    identity = str(row.get("id"))
    return AccountFacts(
        id=account_id(identity if identity.startswith("act_") else f"act_{identity}"),
        name=clean(str(row.get("name") or identity)),
        currency=str(row["currency"]),
        time_zone=str(row.get("timezone_name")),
        status=None if status is None else count(status, "account_status"),
        min_daily_budget_minor=None if least is None else count(least, "min_daily_budget"),
    )


def _refused(parts: Sequence[Parsed[Any]]) -> tuple[Refused, ...]:
    return tuple(row for part in parts for row in part.refused)


def _raise_if_nothing_came(answers: list[Answer]) -> None:
    errors: list[PlatformError] = [answer.error for answer in answers if answer.error is not None]
    if len(errors) == len(answers) and not any(answer.rows for answer in answers):
        raise errors[0]


def _problems(answers: list[Answer], names: list[str]) -> tuple[str, ...]:
    return tuple(
        f"{n}: {a.error.message}"
        for n, a in zip(names, answers, strict=True)
        if a.error is not None
    )


def _name(path: tuple[str, ...], params: Mapping[str, Any]) -> str:
    level = params.get("level")
    when = "today" if "date_preset" in params else "days" if "time_range" in params else ""
    return " ".join(part for part in (path[-1], str(level or ""), when) if part)
