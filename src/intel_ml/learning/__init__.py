"""Outcomes back to better opinions.

states       what was known of entities at any moment, read from the store
engines      the same features from files, on DuckDB or Spark
propensity   how likely it was that what was executed would be executed
rewards      what an outcome is worth
shocks       what every unit felt on a day
horizons     what was delivered in the hours after an action, and before it
outcomes     states after against states before, and against units left alone
feedback     a training row for each decision that is over
training     the log that policies learn from
evaluation   one estimator a file
artifacts    a stored model as files
registry     the one door to MLflow
gates        what a model must show before it may be used
promotion    the life of a model version
watching     whether the champion still earns its place; out of it if not
cells        how far the policy may go, by account, archetype and arm
simulation   policies in simulated worlds: value, regret, the share of the oracle's gain
"""
