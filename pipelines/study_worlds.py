"""Every Saturday, if the machine is up then: the policy in a simulated world."""

from datetime import timedelta

from intel_ml.surfaces.jobs import Schedule

SCHEDULE = Schedule(
    name="study-worlds",
    notebook="66_worth_in_simulated_worlds.ipynb",
    parameters={"world": "fatigue", "days": 7, "seeds": 3},
    every="30 5 * * sat",
    within=timedelta(hours=3),
    timeout_s=600,
    after=("train-policy",),
    description="What the policy makes in a simulated world, beside rules, chance and the oracle.",
)
