"""Every morning: every entity's features, and which could not be computed."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="build-features",
    notebook="10_build_features.ipynb",
    parameters={"days": 30},
    every=timedelta(days=1),
    timeout_s=300,
    description="What is known of every entity, and what cannot be known from this data.",
)
