"""Every day, after the archetypes: what people would do, where no policy knows better yet."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="train-imitation",
    notebook="35_train_imitation.ipynb",
    parameters={"days": 180},
    every=timedelta(days=1),
    timeout_s=600,
    after=("train-archetypes",),
    description="The imitation of people's approvals, which stands in for the policy.",
)
