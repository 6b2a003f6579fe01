"""A champion in a registry, and decisions made since its promotion."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from intel_ml.core.actions import ARMS
from intel_ml.core.recommendations import Role
from intel_ml.data.store.accounts import grant, save_account, save_person
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.data.store.tables import TrainingRow
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning import promotion
from intel_ml.learning.gates import read_model
from intel_ml.learning.promotion import Evidence, Lives
from intel_ml.learning.registry import Registration, Registry
from tests import history
from tests.intelligence.policy import worlds

PROJECT = Path(__file__).parents[2]
ONE, NOW = history.ACCOUNTS[0], history.NOW
PROMOTED = NOW - timedelta(days=40)
PROOF = {
    "samples": 5000.0,
    "support_share": 0.99,
    "effective_samples": 900.0,
    "e_value": 40.0,
    "reverse_e_value": 0.3,
    "holds_to_odds": 1.4,
}
GOOD = make_policy("ridge", alpha=0.1).fit(worlds.log(1000))


@dataclass(frozen=True)
class Champion:
    lives: Lives
    version: str

    def alias(self, alias: str) -> str | None:
        found = self.lives.registry.find(self.lives.model.name, alias)
        return found.version if found else None


def promoted(store: Store, registry: Registry, policy: Policy) -> Champion:
    model = read_model(PROJECT / "models" / "campaign-policy")
    lives = Lives(
        registry, store, model.model_copy(update={"name": f"watched-{uuid.uuid4().hex[:8]}"})
    )
    with registry.run("tests", "watch") as run:
        registration = Registration(lives.model.name, run.id)
        version = registry.register_policy(policy, registration=registration)
    promotion.admit(lives, version, evidence=Evidence(PROOF), by="ada", now=PROMOTED)
    assert promotion.promote(lives, version, by="ada", now=PROMOTED).has_passed
    return Champion(lives, version)


def lived(store: Store, *, is_worse: bool, rows: int = 800) -> None:
    """Write measured decisions: each hour one arm by chance, which paid well or alike.

    Where the champion has become worse, what it likes loses what the others earn.
    """
    draw = np.random.default_rng(4)
    log = worlds.log(rows, seed=8)
    liked = GOOD.choose(
        worlds.states([{"cpa_ratio": one} for one in log["state_cpa_ratio"]]),
        allowed=np.ones((rows, len(ARMS)), dtype=bool),
        keys=[str(at) for at in range(rows)],
    ).greedy
    did = [ARMS.index(arm) for arm in log["executed"]]
    pays = np.where(np.array(did) == liked, -0.8, 0.6) if is_worse else np.zeros(rows)
    rewards = pays + 0.2 * draw.standard_normal(rows)
    pmf = {arm.value: 1 / len(ARMS) for arm in ARMS}
    with store.session() as session:
        save_account(session, ONE)
        nobody = {"name": "owner", "password_hash": "-"}
        person = save_person(session, **nobody, now=PROMOTED)
        grant(session, user_id=person, account_id=ONE.id, role=Role.OPERATOR)
    with store.connection() as connection:
        set_clock(connection, now=NOW)
        values = [
            {
                "ad_account_id": ONE.id,
                "decision_id": f"d{at}",
                "horizon_hours": 72,
                "entity_type": "adset",
                "entity_id": str(at % 40),
                "state_vector": {
                    "cpa_ratio": float(log["state_cpa_ratio"][at]),
                    "frequency": float(log["state_frequency"][at]),
                },
                "features_hash": "x",
                "archetype": None,
                "pmf": pmf,
                "proposed": log["executed"][at],
                "is_held_out": False,
                "executed": log["executed"][at],
                "action_source": "model",
                "p_executed": 1 / len(ARMS),
                "outcome_measured": True,
                "reward_against_holdout": float(rewards[at]),
                "outcome_details": {"earned": float(rewards[at])},
                "state_captured_at": NOW - timedelta(hours=rows - at),
                "action_taken_at": NOW - timedelta(hours=rows - at),
            }
            for at in range(rows)
        ]
        connection.execute(insert(TrainingRow), values)
