"""Judging a policy from the log of another: one estimator a file, with its support.

logged        `LoggedDecisions` in, `Estimate` out
ips           inverse propensity scoring
snips         self-normalised
dm            direct method
dr            doubly robust
dr_os         doubly robust with optimistic shrinkage
sndr          doubly robust, self-normalised
switch_dr     doubly robust up to a weight
regression    kernel ridge and LightGBM over context and arm
reward_model  the regression of a log, cross-fitted
support       effective sample size, and when to refuse
intervals     t and Wilson intervals
agreement     how often policy and person say the same: rate, kappa, by archetype and action
crossing      how often chance alone proves one of many nested promises
autonomy      what may run by itself at a promised disagreement
sensitivity   how wrong the log's probabilities may be before a conclusion falls
online        rewards predicted from earlier decisions only
e_process     whether a candidate is better, at any number of looks
restarts      bets that begin anew, for a champion that turns bad
tails         whether rewards beyond the bounds could turn a conclusion
replay        what a policy would have done with the log
results       what a comparison found
rendering     results as sentences, tables, a page
pictures      results as one picture
comparison    all of it for two policies, as a table and a picture
watch         whether a champion still earns its place
"""
