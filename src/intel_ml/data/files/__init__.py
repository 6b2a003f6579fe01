"""Performance that did not come from the API: Ads Manager exports and any other CSV.

table       a file as header and rows, whatever its encoding and delimiter
columns     which column means what: suggested, remembered, or told
cells       one cell to a number, an amount, a day
totals      rows to facts of an ad, its ad set and its campaign
importer    the whole import, in one transaction
"""
