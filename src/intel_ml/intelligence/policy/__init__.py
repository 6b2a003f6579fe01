"""Contextual bandits behind one protocol: each gives a whole pmf, learns and explains itself.

protocol    what every policy can do
context     features to a standardised vector, unknown values included
drawing     scores to a floored pmf, and the draw that a key decides
explain     the plan's sentences and what each feature contributed
files       npz and json, never pickle
settings    hyperparameters, checked by name and value
ridge       linear reward models with optimism, optionally on random Fourier features
imitation   what the approver would do
uniform     chance: the yardstick
shelf       `make_policy` and `load_policy`
"""

from intel_ml.intelligence.policy.shelf import load_policy, make_policy

__all__ = ["load_policy", "make_policy"]
