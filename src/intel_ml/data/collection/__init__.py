"""What to fetch, how far back, how late, at what cost.

plan        how far back closed days are read again
collect     one look at each account, stored whole or not at all
onboarding  the accounts of a token, with what they are judged by
"""
