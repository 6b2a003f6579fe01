"""FACTS IN: the only stage that reads the outside world.

meta         the reading half of the Marketing API, through the official SDK
sandbox      a simulated ad platform that speaks the Graph API
files        performance from CSV files
store        PostgreSQL: tables, sessions, migrations
collection   what to fetch, how far back, at what cost
"""
