"""Outcomes back to better opinions.

states       what was known of entities at any moment, read from the store
engines      the same features from files, on DuckDB or Spark
propensity   how likely it was that what was executed would be executed
rewards      what an outcome is worth
shocks       what every unit felt on a day
readings     what was delivered by a moment, as it is known at another one
horizons     what was delivered in the hours after an action, and before it
outcomes     what came after against what was before, and against units left alone
feedback     a training row for each decision that is over
training     the log that policies learn from
evaluation   one estimator a file
artifacts    a stored model as files
registry     the one door to MLflow
gates        what a model is made of, and what it must show before it may be used
unseen       what a policy would have earned in decisions it had not seen
selection    which of several candidates to make: the plainest the log cannot tell from the best
selected     what such a choice found, in values and in words
promotion    the life of a model version
watching     whether the champion still earns its place; out of it if not
beside       what verdicts prove of a model while it was only asked beside another
cells        how far the policy may go, by account, archetype and arm
simulation   policies in simulated worlds: value, regret, the share of the oracle's gain
"""
