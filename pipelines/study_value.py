"""Every Monday, if the machine is up then: what the policy would have earned."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-value",
    notebook="61_what_it_would_have_earned.ipynb",
    parameters={"days": 90},
    every="30 5 * * mon",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("evaluate-policy",),
    description="What the policy would have earned, counted in seven ways.",
)
