"""Every day, after training: what the policy would be worth, and whether it may shadow."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="evaluate-policy",
    notebook="40_evaluate_and_register.ipynb",
    parameters={"days": 90},
    every=timedelta(days=1),
    timeout_s=600,
    after=("train-policy",),
    description="Evaluation on unseen decisions, and the gate into shadow.",
)
