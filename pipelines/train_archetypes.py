"""Every day, after the features: the types of campaigns there are."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="train-archetypes",
    notebook="20_train_archetypes.ipynb",
    parameters={"seed": 0},
    every=timedelta(days=1),
    timeout_s=300,
    after=("build-features",),
    description="Archetypes from thirty days of every entity.",
)
