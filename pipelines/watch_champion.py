"""Every day, once outcomes are in: whether the champion is still worth its place."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="watch-champion",
    job="watch-champion",
    parameters={"model": "campaign-policy"},
    every=timedelta(days=1),
    timeout_s=600,
    after=("measure-outcomes",),
    description="Demotes the champion when decisions since its promotion prove it worse.",
)
