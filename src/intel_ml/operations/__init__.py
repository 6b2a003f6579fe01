"""Recommendation to changed account: the only stage that can act, and only through one door.

limits        how much may be done without asking again
values        what a change touches: daily budget and status, exact
wording       actions and moments in words
rulebook      the rules of an account, in and out of the database
standing      what is known of an entity that decides what may be done with it
drawing       hold-out and exploration: what is proposed, with which probability
views         what a loaded policy thinks best of entities, and what it draws
judging       rules beside the policy, one view an entity
stakes        how much money a change is about
exploring     where something is tried by chance: unsure, cheap, a few times a day
expecting     what the policy expects of a proposed change, beside leaving things alone
recalling     what became of the most alike past cases of a proposed change
decisions     one cycle of one account: judge, draw, log, propose
alone         which changes go on without a person, and which of them are audited
answers       the same for a single entity that somebody asks about
proposals     from decisions to pending actions
approvals     what a person says to a proposal; the first commit wins
undo          the old value again, as an action of its own
switches      the kill switch
guards        every reason to refuse a change
facts         what the guards look at
journal       the append-only record of an action
decision_rows decisions as rows of the log
outcomes      what becomes of an action that was taken up, written down and said
access        where the platform is, and the token that may write
notices       what is said to the members of an account
audit         one action's story
meta_writer   the only module that can change an account
executor      one approved action, once
dispatcher    the executor's only caller
"""
