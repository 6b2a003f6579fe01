"""The read half of the Marketing API, through the official SDK.

answers     what an answer means: its rows, or the error that says what to do
usage       how much of the platform's and of our own allowance is used
connection  the SDK, pointed at a Graph host
pages       many questions in one batch, followed to their last page
questions   which edges and fields are asked for
rows        Meta's rows to facts; what cannot be believed is refused
pixels      pixel statistics and match quality to facts
reader      one account, one look
"""
