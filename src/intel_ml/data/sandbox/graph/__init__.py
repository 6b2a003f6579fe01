"""The Graph API's answers about a world, free of any HTTP library.

json_text   JSON as bytes
errors      the body of an error
fields      which names a node knows
days        date presets, ranges and increments
listing     filters and pages
nodes       accounts, campaigns, ad sets and ads as JSON
audience    how many different people were met
rows        insights as JSON
insights    which rows a question asks for
pixels      pixel events and dataset quality
reads       every GET
writes      every POST
usage       the headers that say how much quota is used
platform    one request in, one answer out; batches
faults      what is to go wrong, on request
"""
