"""Every day, after the archetypes: a policy from all decisions that are over."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="train-policy",
    notebook="30_train_policy.ipynb",
    parameters={"days": 90, "seed": 0},
    every=timedelta(days=1),
    timeout_s=600,
    after=("train-archetypes",),
    description="The contextual bandit, from what was executed and what came of it.",
)
