"""Numbers to opinions. Pure: knows no database, no network, no clock, no action taken.

clusters        archetypes: which entities behave alike, in words
policy          contextual bandits behind one protocol
patterns        regularities of an account, one file each
fatigue         how far an ad has fallen from its own best
confidence      the plan's confidence score
account_score   four components from 0 to 100, and what to do first
pixel_health    funnel rates and match quality, judged
"""
