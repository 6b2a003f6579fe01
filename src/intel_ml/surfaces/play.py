"""Let simulated time pass, with the platform looking, deciding, acting and measuring as it would.

Reads   a sandbox's clock over HTTP; everything else through the platform's own stages.
Gives   `SandboxClock`, and `Player`, which plays the loop at speed.
Never   inserts a row of history by itself: what happened is what the stages did.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import ARMS, ActionStatus, action_of, arm_of
from intel_ml.core.errors import UnavailableError, WrongUseError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.store.sessions import Store, platform_now, set_clock
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.operations import approvals
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.api.models import ModelKeeper, Models, loader
from intel_ml.surfaces.platform import limits_of, open_reader, open_store
from intel_ml.surfaces.settings import LOOPBACK, Settings

if TYPE_CHECKING:
    from intel_ml.data.meta.reader import MetaReader
    from intel_ml.data.sandbox.approvers import Approver

_TIMEOUT_S = 120.0
_DRAIN_WITHIN_S = 30.0
_DRAIN_PAUSE_S = 0.01
_DAY = timedelta(days=1)
#: How far before the real moment a new sandbox begins.
HISTORY = timedelta(days=30)
_ADDED = (
    "looks",
    "rows",
    "decisions",
    "proposals",
    "held_out",
    "approved",
    "rejected",
    "modified",
    "measured",
)
_OPEN = (ActionStatus.APPROVED, ActionStatus.EXECUTING)


class SandboxClock:
    """The control side of a sandbox: its time, its writes, its world."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S)

    def clock(self) -> dict[str, Any]:
        """Return {"now", "start", "speed"}."""
        return dict(self._ask("GET", "/_sandbox/clock"))

    def now(self) -> datetime:
        """Return the simulated moment."""
        return datetime.fromisoformat(self.clock()["now"])

    def advance(self, hours: int) -> datetime:
        """Let simulated hours pass; return the new moment."""
        return datetime.fromisoformat(
            self._ask("POST", "/_sandbox/advance", json={"hours": hours})["now"]
        )

    def set_speed(self, speed: float) -> None:
        """Set how many simulated seconds pass in a real one."""
        self._ask("POST", "/_sandbox/speed", json={"speed": speed})

    def writes(self) -> list[dict[str, Any]]:
        """Return every write received, oldest first."""
        return list(self._ask("GET", "/_sandbox/writes")["data"])

    def world(self) -> dict[str, Any]:
        """Return what the world is made of."""
        return dict(self._ask("GET", "/_sandbox/world"))

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            check = "Is `make demo` running? See its logs/sandbox.log."
            raise UnavailableError(service="The sandbox", check=check) from error
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise WrongUseError(f"The sandbox says: {answer.json().get('error')}")
        if answer.is_error:
            raise UnavailableError(
                service="The sandbox", check=f"It answered {answer.status_code}."
            )
        return answer.json()


def sandbox_options(settings: Settings) -> dict[str, Any]:
    """Return what the sandbox's server is started with."""
    read, write = settings.meta_access_token, settings.meta_write_token
    return {
        "name": settings.intel_sandbox_world,
        "host": LOOPBACK,
        "port": settings.intel_sandbox_port,
        "start": datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HISTORY,
        "speed": settings.intel_sandbox_speed,
        "read_token": read.get_secret_value() if read else secrets.token_urlsafe(),
        "write_token": write.get_secret_value() if write else secrets.token_urlsafe(),
        "journal": settings.intel_home / "sandbox.jsonl",
    }


def follow(store: Store, now: datetime) -> None:
    """Bring the platform's clock to the sandbox's, never back: what is stored stays past."""
    with store.session() as session:
        if now > platform_now(session):
            set_clock(session, now=now)


def catch_up(store: Store, clock: SandboxClock) -> int:
    """Let the hours pass in the sandbox that passed while it stood still; return how many."""
    hours = int((store.now() - clock.now()).total_seconds() // 3600)
    if hours > 0:
        clock.advance(hours)
    return max(hours, 0)


@dataclass(slots=True)
class PlayReport:
    """What happened while simulated time passed."""

    now: datetime
    looks: int = 0
    rows: int = 0
    decisions: int = 0
    proposals: int = 0
    held_out: int = 0
    approved: int = 0
    rejected: int = 0
    modified: int = 0
    executed: int = 0
    measured: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def plus(self, later: PlayReport) -> PlayReport:
        """Return both together; `now` and `executed` are already those of the later one."""
        added = {name: getattr(self, name) + getattr(later, name) for name in _ADDED}
        names = {*self.seconds, *later.seconds}
        seconds = {n: self.seconds.get(n, 0.0) + later.seconds.get(n, 0.0) for n in names}
        return replace(later, **added, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Player:
    """The loop at speed: advance, look, decide, answer, act, measure, again.

    An `approver` answers proposals on behalf of `person`; without one they wait for people.
    """

    store: Store
    reader: MetaReader
    clock: SandboxClock
    accounts: tuple[Account, ...]
    limits: Limits
    acts: bool
    person: Person | None = None
    approver: Approver | None = None
    models: Models = field(default_factory=Models)

    def play(
        self, *, hours: int, every: int, on_step: Callable[[int], None] | None = None
    ) -> PlayReport:
        """Let `hours` pass in steps of `every`; `on_step` is told how many hours are done."""
        report = PlayReport(now=self.clock.now())
        done, last_daily = 0, report.now
        while done < hours:
            step = min(every, hours - done)
            with _timed(report, "sandbox"):
                report.now = self.clock.advance(step)
                follow(self.store, report.now)
            done += step
            self._look_and_decide(report)
            if self.approver is not None:
                with _timed(report, "answer"):
                    self._answer(report)
            if self.acts:
                with _timed(report, "act"):
                    self._wait_until_done()
            if report.now - last_daily >= _DAY or done >= hours:
                last_daily = report.now
                with _timed(report, "measure"):
                    self._measure(report)
            if on_step is not None:
                on_step(done)
        report.executed = self._executed()
        return report

    def _look_and_decide(self, report: PlayReport) -> None:
        from intel_ml.data.collection.collect import collect_all  # noqa: PLC0415  # the SDK is heavy
        from intel_ml.operations.decisions import decide  # noqa: PLC0415

        with _timed(report, "look"):
            seen = collect_all(self.store, self.reader, self.accounts, now=report.now)
        report.looks += len(seen)
        report.rows += sum(one.rows for one in seen)
        for account in self.accounts:
            with _timed(report, "decide"):
                cycle = decide(
                    self.store,
                    account,
                    now=report.now,
                    limits=self.limits,
                    policy=self.models.policy,
                    archetypes=self.models.archetypes,
                )
            report.decisions += cycle.decisions
            report.proposals += cycle.proposals
            report.held_out += cycle.held_out

    def _answer(self, report: PlayReport) -> None:
        if self.approver is None or self.person is None:
            return
        with self.store.session() as session:
            waiting = session.execute(
                select(AutomationAction, Decision.state, Decision.allowed)
                .join(
                    Decision,
                    (Decision.ad_account_id == AutomationAction.ad_account_id)
                    & (Decision.decision_id == AutomationAction.decision_id),
                )
                .where(AutomationAction.status == ActionStatus.PENDING_APPROVAL)
                .order_by(AutomationAction.id)
            ).all()
            for row in waiting:
                self._answer_one(session, row, report)

    def _answer_one(self, session: Session, row: Any, report: PlayReport) -> None:
        action, state, allowed = row
        arm = arm_of(approvals.action_from(action.action_type, action.action_params))
        if self.approver is None or self.person is None or arm is None:
            return
        said = self.approver.judge(key=action.key, arm=arm, state=state)
        where = {
            "account_id": action.ad_account_id,
            "action_id": action.id,
            "by": self.person,
            "now": report.now,
        }
        if said.verdict is Verdict.APPROVED:
            approvals.approve(session, **where)
            report.approved += 1
        elif (
            said.verdict is Verdict.MODIFIED
            and said.alternative is not None
            and allowed[ARMS.index(said.alternative)]
        ):
            approvals.modify(
                session,
                **where,
                action=action_of(said.alternative),
                reason=said.reason,
                limits=self.limits,
            )
            report.modified += 1
        elif said.verdict is not None:
            # What the approver would rather do is not possible here, or is to leave it alone.
            approvals.reject(session, **where, reason=said.reason)
            report.rejected += 1

    def _wait_until_done(self) -> None:
        """Wait until the executor, a process of its own, has done or put off what was approved."""
        deadline = time.monotonic() + _DRAIN_WITHIN_S
        open_ones = select(func.count()).where(
            AutomationAction.status.in_(_OPEN), AutomationAction.status_reason.is_(None)
        )
        while time.monotonic() < deadline:
            with self.store.session() as session:
                if session.execute(open_ones).scalar_one() == 0:
                    return
            time.sleep(_DRAIN_PAUSE_S)
        raise UnavailableError(service="The executor", check="See its logs/executor.log.")

    def _measure(self, report: PlayReport) -> None:
        from intel_ml.learning.feedback import measure, record  # noqa: PLC0415  # heavier than the loop

        for account in self.accounts:
            with self.store.connection() as connection:
                record(connection, account=account, now=report.now)
            report.measured += measure(self.store, account=account, now=report.now)

    def _executed(self) -> int:
        count = select(func.count()).where(AutomationAction.executed_at.is_not(None))
        with self.store.session() as session:
            return int(session.execute(count).scalar_one())


def play_on(settings: Settings, *, hours: int, every: int) -> PlayReport:
    """Let time pass in the sandbox of a running platform.

    People answer, nobody answers for them.
    """
    from intel_ml.data.store import accounts as stored  # noqa: PLC0415  # only this command needs it

    store = open_store(settings)
    with store.session() as session:
        found = tuple(a for a in stored.accounts(session) if a.source == "api")
    player = Player(
        store=store,
        reader=open_reader(settings),
        clock=SandboxClock(settings.sandbox_url),
        accounts=found,
        limits=replace(limits_of(settings), stale_after_hours=max(2.0 * every, 2.0)),
        acts=settings.enable_action_executor,
        models=ModelKeeper(loader(store, settings)).check(),
    )
    return player.play(hours=hours, every=every)


class _timed:  # noqa: N801  # reads as a verb where it is used
    """Add the seconds of a block to a report."""

    def __init__(self, report: PlayReport, name: str) -> None:
        self._report, self._name = report, name

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._began
        self._report.seconds[self._name] = self._report.seconds.get(self._name, 0.0) + spent
