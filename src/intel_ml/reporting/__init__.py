"""What people are told.

cards          what an approver sees of one proposal
filling        from actions to cards
queue          the proposals of a person's accounts, waiting and decided
sentences      the words of a card
trends         daily numbers of an entity or an account
similar        what became of proposals like this one, and what is expected
dashboard      an account on one page
savings        what was saved, against units left alone
autonomy       what could go on without a person, as a page and as pictures
notifications  what a person should know
patterns       learned patterns in words
scoring        the account score and the patterns, computed and stored
"""
