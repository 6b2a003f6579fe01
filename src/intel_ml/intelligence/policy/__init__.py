"""Contextual bandits behind one protocol: each gives a whole pmf, learns and explains itself.

protocol    what every policy can do
context     features to a standardised vector, unknown values included
drawing     scores to a floored pmf, and the draw that a key decides
explain     the plan's sentences and what each feature contributed
files       npz and json, never pickle
settings    hyperparameters, checked by name and value
linear      ridge regression an arm on plain vectors, row by row or at once
lift        what bends it: random waves, landmarks
learner     the two together, by optimism or Thompson's way; any number of arms
ridge       the learner behind states and logs
kinship     what accounts have in common, and what each may borrow
sharing     a ridge an account; those that share lend each other strength
vw          VowpalWabbit: RegCB and SquareCB with action features
likeness    what somebody would choose, learned from few of their choices
yields      what money buys of each ad set, and how fast it buys less
response    what a change of budget would earn, from that
imitation   what the approver would do
uniform     chance: the yardstick
shelf       `make_policy` and `load_policy`; finds `rules`, which `judgement` brings
"""

from intel_ml.intelligence.policy.shelf import load_policy, make_policy

__all__ = ["load_policy", "make_policy"]
