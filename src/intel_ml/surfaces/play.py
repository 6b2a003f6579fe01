"""Let simulated time pass, with the platform looking, deciding, acting and measuring as it would.

Reads   a sandbox's clock; everything else through the platform's own stages.
Gives   `Player`, which plays the loop at speed.
Never   inserts a row of history by itself: what happened is what the stages did.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import ARMS, ActionStatus, action_of, arm_of
from intel_ml.core.errors import UnavailableError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.operations import approvals
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.api.models import ModelKeeper, Models, loader
from intel_ml.surfaces.platform import limits_of, open_reader, open_store
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.simulated import SandboxClock, follow

if TYPE_CHECKING:
    from intel_ml.data.meta.reader import MetaReader
    from intel_ml.data.sandbox.approvers import Approver

_DRAIN_WITHIN_S = 30.0
_DRAIN_PAUSE_S = 0.01
_DAY = timedelta(days=1)
_ADDED = (
    "looks",
    "rows",
    "decisions",
    "proposals",
    "held_out",
    "approved",
    "rejected",
    "modified",
    "executed",
    "measured",
)
_OPEN = (ActionStatus.APPROVED, ActionStatus.EXECUTING)


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
        """Return both together; `now` is that of the later one."""
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
        began = self.clock.now()
        report = PlayReport(now=began)
        done, last_daily = 0, began
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
        report.executed = self._executed(since=began)
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
                    mode=self.models.mode(account.mode),
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

    def _executed(self, *, since: datetime) -> int:
        count = select(func.count()).where(AutomationAction.executed_at > since)
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
