"""Policies in simulated worlds: the closed loop, without database, server or real account.

limits       what may be done, and what is drawn at random
looking      a world's states, by the one definition of each feature
journal      decisions and their rewards, as a policy gets them for real
deciders     nobody, the rules, chance, a policy, the oracle
play         look, measure, learn, decide, answer, act, day after day
results      value, regret and the share of the oracle's gain, with intervals
pictures     the table in words, the picture, the page
evaluation   `evaluate`: a policy beside the others, seed by seed
"""

from intel_ml.learning.simulation.evaluation import Conditions, Evaluation, evaluate
from intel_ml.learning.simulation.limits import Limits

__all__ = ["Conditions", "Evaluation", "Limits", "evaluate"]
