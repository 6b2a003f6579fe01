"""The sandbox: a simulated ad platform that speaks the Graph API, with an oracle.

randomness      counter-based draws, shared by forks
mechanisms/     how ad accounts behave, one mechanism a file
worldfile       the TOML description of a world, validated
accountfile     its accounts, campaigns, ad sets and kinds
typed_tables    TOML into frozen values, strictly
plausible       what the numbers of a world file can be
generation      many accounts from a few lines
population      campaigns, ad sets and ads made from it
levers          what people have set, as columns
motion          what delivery carries from hour to hour
market          season, shocks and drift of an hour
delivery        one hour: budgets become impressions, clicks, purchases
ledger          what happened, by hour and ad, as known now
pages           whole days of it, held small
colleagues      people who edit the account from outside
changes         edits and the refusals of the platform
budgets         a campaign's budget given up for those of its ad sets
copying         copies of campaigns, ad sets and ads
periods         scheduled raises of a budget
timing          what takes effect when its time comes
spending        caps, targets and bids in force
strategies      a campaign's bid strategy, shared by its ad sets
world           time, delivery, forks
oracle          the true effect of an action
approvers       people who judge proposals
graph/          the Graph API's answers
journal         what to replay after a restart
truth           what no ad platform tells: targets, traits, effects
control         clock, speed, faults, the record of writes
faulty          a planned fault over HTTP
server          the HTTP server
byhand          the server without the platform
summary         what a world file holds, counted
worlds/         world files

`World` is named here because notebooks and outside users import it from here.
"""

from intel_ml.data.sandbox.world import World

__all__ = ["World"]
