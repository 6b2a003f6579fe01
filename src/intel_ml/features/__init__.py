"""Facts to numbers: the one definition of every feature, as expressions from table to table.

feature              what a feature is
state_features       the features of an entity at a moment
signature_features   the features that tell kinds of campaigns apart
catalogue            the one list of both
history              what was known of each day at each moment
state                the expression of the state
signature            the expression of the signature
states               states as columns
"""
