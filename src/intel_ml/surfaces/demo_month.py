"""The demo's month: played by the platform itself, with a simulated approver until the last day.

Reads   a sandbox that stands at the month's beginning.
Gives   accounts taken on, the days played, the notebooks run, proposals that wait with both views.
Never   inserts history: everything in the store was seen, decided, done or measured.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from rich.progress import Progress

from intel_ml.core.accounts import Account, Person
from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.core.money import Money
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.operations import switches
from intel_ml.reporting.notifications import mark_all_read
from intel_ml.surfaces.api.models import ModelKeeper, loader
from intel_ml.surfaces.jobs import run_job
from intel_ml.surfaces.jobs.schedules import discover, slot_of
from intel_ml.surfaces.onboarding import onboard_accounts
from intel_ml.surfaces.people import add_person
from intel_ml.surfaces.platform import limits_of, open_reader
from intel_ml.surfaces.play import Player, PlayReport
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.simulated import SandboxClock
from intel_ml.surfaces.work import decide_all, job_context, score_accounts

STEP_HOURS = 4
UNANSWERED_HOURS = 24
EXPLORATION = 0.08
LOGIN = "demo"
APPROVER = "Sam (simulated)"
NOTEBOOK_JOBS = ("build-features", "train-archetypes", "train-policy", "evaluate-policy")


@dataclass(frozen=True, slots=True)
class Month:
    """`days` of a sandbox, played in steps; the last day is left for whoever logs in."""

    store: Store
    settings: Settings
    clock: SandboxClock
    progress: Progress
    days: int

    def take_on(self, password: str) -> tuple[Account, ...]:
        """Take on the sandbox's accounts with its targets, and let two people in."""
        task = self.progress.add_task("Take on accounts", total=1, note="")
        with self.store.session() as session:
            set_clock(session, now=self.clock.now())
            switches.revive(session, reason="the demo's account is simulated", by="demo")
        targets = {
            a["id"]: (Money(a["target_cpa_minor"], a["currency"]), a["target_roas"])
            for a in self.clock.world()["accounts"]
        }
        reader = open_reader(self.settings)
        accounts = tuple(onboard_accounts(self.store, reader, targets=targets))
        add_person(self.store, name=LOGIN, password=password, role="admin")
        unknown = secrets.token_urlsafe(16)
        add_person(self.store, name=APPROVER, password=unknown, role="approver")
        self.progress.update(task, completed=1, note=f"{len(accounts)} accounts")
        return accounts

    def play_answered(self, accounts: tuple[Account, ...]) -> PlayReport:
        """Play all but the last day; a simulated approver answers every proposal."""
        from intel_ml.data.sandbox.approvers import Approver  # noqa: PLC0415  # the demo alone

        hours = self.days * 24 - UNANSWERED_HOURS
        task = self.progress.add_task(f"Play {self.days} days of the loop", total=hours, note="")
        player = replace(
            self._player(accounts),
            person=self._person(APPROVER),
            approver=Approver("careful", seed=7),
        )
        report = player.play(
            hours=hours,
            every=STEP_HOURS,
            on_step=lambda done: self.progress.update(
                task, completed=done, note=f"day {done // 24}"
            ),
        )
        note = f"{report.decisions:,} decisions"
        self.progress.update(task, note=note)
        return report

    def run_notebooks(self) -> dict[str, float]:
        """Run the scheduled notebooks; return how many seconds each took."""
        seconds = {}
        context = job_context(self.settings, store=self.store)
        schedules = discover(self.settings.project)
        end = self.clock.now() + timedelta(hours=UNANSWERED_HOURS)
        for name in NOTEBOOK_JOBS:
            task = self.progress.add_task(f"Notebook {name}", total=1, note="")
            began = time.monotonic()
            # In the slot of the month's end, so that the scheduler doesn't run it again at once.
            result = run_job(name, context=context, slot=slot_of(schedules[name], end))
            if result.status != "done":
                raise IntelError(f"The notebook {name} failed.", hint=result.message)
            seconds[name] = round(time.monotonic() - began, 1)
            self.progress.update(task, completed=1)
        return seconds

    def play_unanswered(self, accounts: tuple[Account, ...]) -> tuple[PlayReport, dict[str, int]]:
        """Play the last day hour by hour, rules and policy side by side; proposals wait."""
        name = "Last day, policy beside rules"
        task = self.progress.add_task(name, total=UNANSWERED_HOURS, note="")
        person = self._person(LOGIN)
        with self.store.session() as session:
            mark_all_read(session, person=person, now=self.clock.now())
        models = ModelKeeper(loader(self.store, self.settings)).check()
        report = replace(self._player(accounts), models=models).play(
            hours=UNANSWERED_HOURS,
            every=1,
            on_step=lambda done: self.progress.update(task, completed=done),
        )
        context = job_context(self.settings, store=self.store)
        score_accounts(context)
        cycle = decide_all(context)
        self.progress.update(task, note=f"{report.proposals + cycle['proposals']} proposals wait")
        return report, cycle

    def _player(self, accounts: tuple[Account, ...]) -> Player:
        limits = limits_of(self.settings)
        return Player(
            store=self.store,
            reader=open_reader(self.settings),
            clock=self.clock,
            accounts=accounts,
            limits=replace(limits, exploration_share=EXPLORATION, stale_after_hours=2 * STEP_HOURS),
            acts=True,
        )

    def _person(self, name: str) -> Person:
        with self.store.session() as session:
            found = stored.person_named(session, name)
        if found is None:
            raise UnavailableError(service=f"The user '{name}'", check="Run `make demo` afresh.")
        return found[0]
