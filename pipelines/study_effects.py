"""Every Friday, if the machine is up then: what the actions did, against what was left alone."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-effects",
    notebook="65_did_the_actions_help.ipynb",
    parameters={"days": 90},
    every="30 5 * * fri",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("measure-outcomes",),
    description="What actions did, against ad sets left alone at random.",
)
