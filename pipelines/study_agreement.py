"""Every Wednesday, if the machine is up then: where policy and people differ."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-agreement",
    notebook="63_does_it_agree_with_us.ipynb",
    parameters={"days": 90},
    every="30 5 * * wed",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("evaluate-policy",),
    description="Where policy and people differ, with ten cases to talk about.",
)
