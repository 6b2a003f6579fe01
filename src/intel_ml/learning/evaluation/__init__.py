"""Judging a policy from the log of another: one estimator a file, with its support.

logged        `LoggedDecisions` in, `Estimate` out
ips           inverse propensity scoring
snips         self-normalised
dm            direct method
dr            doubly robust
dr_os         doubly robust with optimistic shrinkage
reward_model  cross-fitted ridge, one model an arm
support       effective sample size, and when to refuse
intervals     t and Wilson intervals
agreement     how often policy and person say the same: rate, kappa, by archetype
e_process     whether a candidate is better, at any number of looks
replay        what a policy would have done with the log
results       what a comparison found
rendering     results as tables, a picture, a page
comparison    all of it for two policies, as a table and a picture
"""
