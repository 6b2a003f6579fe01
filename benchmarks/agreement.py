"""How often the imitation would have said what the person says, after 500 of their approvals.

The same four sets as people (500 rows known, the rest asked; also 50, and 500 of which a fifth was
answered by chance), and the simulated approvers of the
sandbox: proposals drawn at random over the ad sets of a world, judged day by day until 500 were
answered; the next 500 answered ones are foreseen. An approver answers the same case differently
on another day, so nothing reaches 1: the best anyone could do is in the note where it is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.autonomy import KNOWN
from benchmarks.bakeoff import Labelled, sets
from benchmarks.measuring import Row, quality
from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.recommendations import Verdict
from intel_ml.data.sandbox.approvers import Approver
from intel_ml.data.sandbox.world import World
from intel_ml.intelligence.policy.imitation import VERDICTS, Policy
from intel_ml.intelligence.policy.likeness import Choices, learned
from intel_ml.learning.evaluation.replay import states_of_log
from intel_ml.learning.simulation.looking import Observer

if TYPE_CHECKING:
    import pandas as pd

_APPROVALS, _NEW = 500, 500
_FEW, _NOISE = 50, 0.2
_SEEDS = 5
_WORLD, _WARM_DAYS = "demo", 10
_START = datetime(2026, 6, 1, tzinfo=UTC)
_PROFILES = ("careful", "trusting", "busy")
_MARK = "≥ .80"
_BINS = 10


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark; about a minute."""
    asked = [one for one in sets() if one.name in KNOWN]
    for labelled in asked:
        shares = [_of_set(labelled, seed) for seed in range(_SEEDS)]
        yield quality(
            f"agreement after {_APPROVALS} approvals: {labelled.name}",
            float(np.mean(shares)),
            mark=_MARK,
            note="mean of 5 splits; known .81 to .95 after 267 to 577, elsewhere ~50,000 events",
        )
    few = [_of_set(one, seed, known=_FEW) for one in asked for seed in range(_SEEDS)]
    yield quality(
        f"agreement after {_FEW} approvals: mean of {len(asked)} sets",
        float(np.mean(few)),
        mark="",
        note=f"two to ten classes; worst split {min(few):.3f}",
    )
    noisy = [_of_set(one, seed, noise=_NOISE) for one in asked for seed in range(_SEEDS)]
    yield quality(
        f"agreement after {_APPROVALS} approvals, {_NOISE:.0%} of them by chance: "
        f"mean of {len(asked)} sets",
        float(np.mean(noisy)),
        mark=_MARK,
        note=f"with what they want, not with chance; worst split {min(noisy):.3f}",
    )
    for profile in _PROFILES:
        log = judged(profile, count=_APPROVALS + _NEW)
        yield from _of_approver(profile, log)


def _of_set(labelled: Labelled, seed: int, *, known: int = _APPROVALS, noise: float = 0.0) -> float:
    random = np.random.default_rng(seed)
    first, rest = np.split(random.permutation(len(labelled.classes)), [known])
    told = labelled.classes[first]
    whim = random.random(known) < noise
    told = np.where(whim, random.integers(0, labelled.arms, known), told)
    x = np.hstack([np.ones((len(labelled.rows), 1)), np.clip(labelled.rows, -5, 5)])
    seen = Choices(x[first], told, np.ones(known), labelled.arms)
    answers = learned(seen).scores(x[rest]).argmax(axis=1)
    return float((answers == labelled.classes[rest]).mean())


def _of_approver(profile: str, log: pd.DataFrame) -> Iterator[Row]:
    known, new = log.iloc[:_APPROVALS], log.iloc[_APPROVALS:]
    policy = Policy().fit(known)
    arms = [Arm(arm) for arm in new["proposed"]]
    found = policy.foresee(states_of_log(new, policy.features), arms)
    said = np.column_stack([found.approve, found.reject, found.modify])
    told = np.array([verdict.value for verdict in VERDICTS])[said.argmax(axis=1)]
    done = np.array([ARMS[at].value for at in found.executed.argmax(axis=1)])
    truth = new["verdict"].to_numpy()
    usual = str(known["verdict"].mode()[0])
    yield quality(
        f"agreement after {_APPROVALS} approvals: the {profile} approver's verdicts",
        float((told == truth).mean()),
        mark=_MARK,
        note=f"what ends up executed {(done == new['executed']).mean():.3f}; "
        f"always '{usual}' {(truth == usual).mean():.3f}",
    )
    is_approved = (truth == Verdict.APPROVED).astype(float)
    brier = float(((found.approve - is_approved) ** 2).mean())
    plain = float(((is_approved - (known["verdict"] == Verdict.APPROVED).mean()) ** 2).mean())
    yield quality(
        f"calibration of P(approve), the {profile} approver: expected error",
        _calibration_error(found.approve, is_approved),
        mark="",
        note=f"{_BINS} bins of as many; Brier {brier:.3f}, of the mean {plain:.3f}",
    )


def _calibration_error(told: np.ndarray, happened: np.ndarray) -> float:
    order = np.argsort(told)
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    gaps = [abs(float(told[part].mean() - happened[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(told)


def judged(profile: str, *, count: int, seed: int = 1) -> pd.DataFrame:
    """Return as many answered proposals, oldest first, as a log."""
    import pandas as pd  # noqa: PLC0415  # slow to load

    world, person = World.load(_WORLD, start=_START, seed=seed), Approver(profile, seed)
    random = np.random.default_rng(seed)
    acting = [arm for arm in ARMS if arm is not Arm.MAINTAIN]
    rows: list[dict[str, object]] = []
    world.advance(24 * _WARM_DAYS)
    with Observer() as observer:
        while len(rows) < count:
            states = observer.look(world)
            for at, entity in enumerate(states.entities):
                arm, state = acting[random.integers(len(acting))], states.state(at)
                key = f"{entity}|{world.now.isoformat()}"
                said = person.judge(key=key, arm=arm, state=state, entity_id=entity.id)
                if said.verdict is None:
                    continue
                done = {Verdict.APPROVED: arm, Verdict.MODIFIED: said.alternative}
                rows.append(
                    {
                        "as_of": world.now,
                        "entity_type": entity.type.value,
                        "entity_id": entity.id,
                        "ad_account_id": entity.account,
                        "decision_id": key,
                        "proposed": arm.value,
                        "verdict": said.verdict.value,
                        "executed": (done.get(said.verdict) or Arm.MAINTAIN).value,
                        **{f"state_{name}": value for name, value in state.items()},
                    }
                )
            world.advance(24)
    return pd.DataFrame(rows[:count])
