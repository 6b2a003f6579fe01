"""The Graph API's answers about a world, free of any HTTP library.

json_text   JSON as bytes
errors      the body of an error
fields      which names a node knows
calls       one GET, and the parameters every edge has
days        date presets, ranges and increments
listing     filters, pages and their totals
nodes       accounts, campaigns, ad sets and ads as JSON
structure   lists of them, and their copies
changelog   who changed what
windows     which hours each row of insights covers
breakdowns  how counts fall into parts that add up
sums        counts by window, part and ad
audience    how many different people were met
actions     what people did, under all its names
rows        insights as JSON
narrowing   the filters of insights
asking      what an insights question asks for
tables      the numbers behind it
insights    the rows it gets
reports     insights ordered, run and read asynchronously
pixels      pixel events and diagnostics
dataset     how well events match to people
reads       every GET
parameters  the names and texts of writes
settings    bid strategies, caps and targets
copies      POST on copies
periods     scheduled raises of a budget
writes      every POST and DELETE
records     every write received
quota       points that are used up and come back
usage       which calls use which, and the headers that say so
requests    one request and one answer
batch       many requests in one
platform    one request in, one answer out
spoiling    failures and nonsense by name
faults      what is to go wrong, on request
faulted     what a fault makes of an answer, in a batch too
"""
