"""The sandbox: a simulated ad platform that speaks the Graph API, with an oracle.

randomness      counter-based draws, shared by forks
mechanisms/     how ad accounts behave, one mechanism a file
worldfile       the TOML description of a world, validated
population      campaigns, ad sets and ads made from it
ledger          what happened, by hour and ad, as known now
changes         edits and the refusals of the platform
world           time, delivery, forks
oracle          the true effect of an action
approvers       people who judge proposals
graph/          the Graph API's answers
journal         what to replay after a restart
server          the HTTP server
worlds/         world files

`World` is named here because notebooks and outside users import it from here.
"""

from intel_ml.data.sandbox.world import World

__all__ = ["World"]
