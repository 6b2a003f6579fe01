"""Contextual bandits behind one protocol: each gives a whole pmf, learns and explains itself.

protocol    what every policy can do
context     features to a standardised vector, unknown values included
drawing     scores to a floored pmf, and the draw that a key decides
explain     the plan's sentences and what each feature contributed
case_rows   decisions worth remembering, as columns
cases       the most alike of them: what was done in situations like this one
recall      what is told of those
files       npz and json, never pickle
settings    hyperparameters, checked by name and value
linear      ridge regression an arm on plain vectors, row by row or at once
lift        what bends it: random waves, landmarks
surprise    whether what was foretold stopped coming true
learner     the two together, by optimism or Thompson's way; any number of arms
ridge       the learner behind states and logs
looks       how much an account looks like the others, before it decided anything
kinship     what accounts have in common, and what each may borrow
group       the accounts that share, and what was seen of each
sharing     a ridge an account; those that share lend each other strength
vw_lines    how decisions are written for VowpalWabbit
replays     how far its expectation may be off
vw          VowpalWabbit: RegCB and SquareCB with action features
likeness    what somebody would choose, learned from few of their choices
sureness    how much each opinion counts, and how sure to be of what they say together
windows     what states and logs show of spending, counted once
yields      what money buys of each ad set, and how fast it buys less
siblings    what a campaign's others would buy with the money of one
assumptions what is taken for granted until a log says otherwise
outlook     what each arm would earn, and how surely
response    what a change of budget would earn, from that
imitation   what the approver would do
uniform     chance: the yardstick
apart       any of them, one for each account
shelf       `make_policy` and `load_policy`; finds `rules`, which `judgement` brings
"""

from intel_ml.intelligence.policy.shelf import load_policy, make_policy

__all__ = ["load_policy", "make_policy"]
