"""WORDS: frozen values, enums and errors that every stage speaks in; standard library only.

accounts          an ad account, a person, their rights
actions           what can be done, and the life of an action
days              the account's days, UTC moments
errors            the one tree of errors
ids               typed ids
money             exact amounts by Meta's offsets
recommendations   a judgement and its reasons
"""
