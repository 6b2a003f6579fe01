"""Every Thursday, if the machine is up then: what hidden reasons of people could change."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-doubt",
    notebook="64_what_if_people_knew_more.ipynb",
    parameters={"days": 90},
    every="30 5 * * thu",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("evaluate-policy",),
    description="How much people would have to have known for the conclusion to fall.",
)
