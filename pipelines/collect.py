"""Look at every account, as often as INSIGHTS_COLLECTION_INTERVAL says."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule
from intel_ml.surfaces.settings import load_settings

SCHEDULE = Schedule(
    name="collect",
    job="collect",
    every=timedelta(minutes=load_settings().insights_collection_interval),
    description="Read structure and today's performance of every account; closed days once a day.",
    timeout_s=900,
)
