"""Decide about every entity once the look of this period is in."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule
from intel_ml.surfaces.settings import load_settings

SCHEDULE = Schedule(
    name="decide",
    job="decide",
    every=timedelta(minutes=load_settings().insights_collection_interval),
    after=("collect",),
    description="Rules and policy decide for every entity; proposals wait for people.",
    timeout_s=600,
)
