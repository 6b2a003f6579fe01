"""Is a policy worth its place? Played seed by seed beside rules, chance and the oracle.

Reads   a policy (name, folder or object), a world (name or file), how long and on how many seeds.
Gives   an `Evaluation`.
Never   needs a database, a server or a real account.

Each (seed, decider) is a task of its own, played in processes side by side. All deciders of a seed
begin with the same days of doing nothing and meet the same luck. The oracle obeys the limits and
the hold-out of everyone else: what is compared is deciding, not being excused from measuring. It
looks a week ahead: at three days it chases spells and pauses what can't be taken back, and makes
less than the rules in noisy worlds.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.approvers import Approver, hidden_quality
from intel_ml.data.sandbox.worldfile import WorldFile, load_world_file
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.simulation import deciders
from intel_ml.learning.simulation.deciders import NOTHING, ORACLE, RANDOM, RULES, YARDSTICKS
from intel_ml.learning.simulation.limits import Limits
from intel_ml.learning.simulation.looking import Observer, accounts_of
from intel_ml.learning.simulation.pictures import page, table_html, value_figure
from intel_ml.learning.simulation.play import DAY_HOURS, Played, play
from intel_ml.learning.simulation.results import Outcomes, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START = datetime(2026, 10, 5, tzinfo=UTC)
_MOST_WORKERS = 2
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all deciders of an evaluation share.

    `quiet_days` are played before anyone decides, so that a week is known; `oracle_hours` is how
    far ahead the oracle looks.
    """

    start: datetime = START
    quiet_days: int = 8
    oracle_hours: int = 168
    approver: str | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class _Task:
    world: WorldFile
    seed: int
    days: int
    decider: str
    policy: Policy | None
    conditions: Conditions


class Evaluation(Results):
    """Deciders beside each other, with `.table()`, `.figure()` and `.html()`."""

    def figure(self) -> Figure:
        """Return the picture: value over the days, with bands over seeds."""
        return value_figure(self)

    def html(self) -> str:
        """Return a page that stands alone: what was played, the table, the picture."""
        return page(self)

    def _repr_html_(self) -> str:
        return table_html(self)


def evaluate(  # noqa: PLR0913  # what, where, how long, how often, under which conditions
    policy: str | Path | Policy,
    world: str | Path = "demo",
    *,
    days: int = 30,
    seeds: int | Sequence[int] = 5,
    conditions: Conditions | None = None,
    beside: Sequence[str] = YARDSTICKS,
    workers: int | None = None,
    on_step: OnStep | None = None,
) -> Evaluation:
    """Return what a policy is worth in a world; `on_step` is told (plays done, plays in all).

    `seeds` is how many, or which. `beside` says which yardsticks play; a number that needs one that
    does not is not there to be asked for. A policy of your own must be one that can be pickled, or
    `workers=1`.
    """
    if days < 1:
        raise InvalidValueError(path="days", problem="must be at least 1")
    chosen = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen:
        raise InvalidValueError(path="seeds", problem="must be at least one")
    for one in beside:
        if one not in YARDSTICKS:
            raise UnknownNameError(kind="decider", name=one, known=YARDSTICKS)
    conditions = conditions or Conditions()
    if conditions.approver is not None:
        Approver(conditions.approver, seed=0)
    name, found = policy_of(policy)
    file = load_world_file(world)
    # The oracle comes last in the table, whoever is asked about before it.
    names = [one for one in YARDSTICKS[:-1] if one in (*beside, name)]
    names += [] if name in YARDSTICKS else [name]
    names += [ORACLE] if ORACLE in (*beside, name) else []
    tasks = [_Task(file, seed, days, one, found, conditions) for seed in chosen for one in names]
    played = _run(tasks, workers=workers, on_step=on_step)
    return Evaluation(
        policy=name,
        world=file.name,
        start=conditions.start,
        days=days,
        seeds=chosen,
        currency=file.accounts[0].currency,
        approver=conditions.approver,
        outcomes={
            one: _together(file, [played[seed, one] for seed in chosen], conditions)
            for one in names
        },
    )


def policy_of(given: str | Path | Policy) -> tuple[str, Policy | None]:
    """Return a policy and what to call it; None stands for a yardstick, which needs none.

    A name is looked for among yardsticks and policies, anything with a folder behind it is loaded.
    """
    if isinstance(given, str | Path):
        if str(given) in YARDSTICKS:
            return str(given), None
        path = Path(given)
        if (path / "policy.json").is_file():
            return path.resolve().name, load_policy(path)
        return str(given), make_policy(str(given))
    return given.name, given


def _run(
    tasks: Sequence[_Task], *, workers: int | None, on_step: OnStep | None
) -> dict[tuple[int, str], Played]:
    count = workers or min(_MOST_WORKERS, os.cpu_count() or 1, len(tasks))
    if count <= 1:
        found = {}
        for done, task in enumerate(tasks, start=1):
            found[task.seed, task.decider] = _play(task)
            if on_step is not None:
                on_step(done, len(tasks))
        return found
    found = {}
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context()) as pool:
        # The oracle takes longest: it goes first, so that no one waits for it at the end.
        order = sorted(tasks, key=lambda task: task.decider != ORACLE)
        waiting = {pool.submit(_play, task): task for task in order}
        for done, future in enumerate(as_completed(waiting), start=1):
            task = waiting[future]
            found[task.seed, task.decider] = future.result()
            if on_step is not None:
                on_step(done, len(tasks))
    return found


def _play(task: _Task) -> Played:
    conditions = task.conditions
    world = World(task.world, start=conditions.start, seed=task.seed)
    world.advance(conditions.quiet_days * DAY_HOURS)
    approver = None
    if conditions.approver is not None:
        approver = Approver(conditions.approver, task.seed, knows=hidden_quality(world))
    with Observer() as observer:
        return play(
            world,
            _decider(task),
            days=task.days,
            limits=conditions.limits,
            approver=approver,
            observer=observer,
        )


def _decider(task: _Task) -> deciders.Decider:
    made: Mapping[str, Callable[[], deciders.Decider]] = {
        NOTHING: deciders.Nothing,
        RULES: deciders.Rules,
        RANDOM: deciders.chance,
        ORACLE: lambda: deciders.Oracle(hours=task.conditions.oracle_hours),
    }
    if task.decider in made:
        return made[task.decider]()
    assert task.policy is not None  # noqa: S101  # for the type checker: `evaluate` found it
    # Each world is met by a policy of its own: what one teaches must not reach the next.
    return deciders.PolicyWithRules(copy.deepcopy(task.policy), name=task.decider)


def _together(file: WorldFile, played: Sequence[Played], conditions: Conditions) -> Outcomes:
    """Return the plays of one decider in major units of the first account's currency."""
    accounts = accounts_of(World(file, start=conditions.start))
    targets = np.array([float(one.target_cpa.minor) for one in accounts if one.target_cpa])
    first = file.accounts[0]
    rates = targets[0] / targets / currency_offset(first.currency)
    count = len(played)
    kinds = sorted({kind for one in played for kind in one.done})
    return Outcomes(
        profit=np.array([one.profit_minor @ rates for one in played]),
        spend=np.array([one.spend_minor @ rates for one in played]),
        done={kind: sum(one.done.get(kind, 0) for one in played) / count for kind in kinds},
    )
