"""Every Tuesday, if the machine is up then: is the policy better, and may one decide."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-evidence",
    notebook="62_is_it_better.ipynb",
    parameters={"days": 90},
    every="30 5 * * tue",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("evaluate-policy",),
    description="The bet that the policy is better, and what is missing to put it to use.",
)
