"""Score the accounts and learn their patterns, early each day."""

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="score-accounts",
    job="score-accounts",
    every="30 4 * * *",
    description="Account scores, recommendations and learned patterns for the dashboard.",
    timeout_s=600,
)
