"""The mechanisms of the simulated world, one a file; a world file can switch each off.

auction         what a thousand impressions cost, by hour and weekday
bidding         what a bid lets through, and at what price
conversion      how many clicks become customers, and when they do
diminishing     what the next unit of budget still buys
drift           how price and conversion rate of an ad set wander and jump
fatigue         how an ad's click-through ratio falls with exposure
lag             how late a conversion is reported
learning        the phase after a significant edit: dearer and noisier
noise           autocorrelated luck, strong enough for regression to the mean
outside         people who edit the account between our looks
pacing          how a day's budget is spread over its hours
pixel           website events, outages, match quality
reach           how many people a number of impressions meets
season          the year's swing, and named weeks that are not as usual
shocks          rare blows to a whole account that fade over days
"""
