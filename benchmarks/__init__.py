"""What is measured, against what, in one run: `make bench`. Never timed tests.

measuring            how a thing is timed, and the rows of the table
installation         a platform of its own: database, simulated month, collected through the SDK
rules                all rules against many entities
states               the state of every entity, in PostgreSQL
decisions            one decision in process
serving              one decision over HTTP, against a no-op of the same server
memory               what a running demo holds
"""
