"""PostgreSQL: everything the platform knows, in one place.

embedded      a server of our own, where no other is named
sessions      connections, transactions, the platform's clock
schema        migrations
tables        what is remembered
accounts      accounts, people, tokens
entities      the structure of an account
performance   what was delivered
expressions   the features' expressions, run in the database
history_files the history as Parquet files, for other engines
"""
