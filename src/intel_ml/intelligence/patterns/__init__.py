"""Regularities of an account, one file each: what holds, how surely, from how much.

pattern             the frozen result they share
time_performance    hours and days that convert better or worse
creative_fatigue    how often people can see an ad before it tires
budget_sweet_spot   daily budgets with the lowest cost per result
"""
