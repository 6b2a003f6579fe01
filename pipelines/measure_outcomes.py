"""Measure what came of decisions, hourly: late outcomes are never lost."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="measure-outcomes",
    job="measure-outcomes",
    every=timedelta(hours=1),
    description="Make training rows of decisions; fill in outcomes and rewards that have ripened.",
    timeout_s=600,
)
