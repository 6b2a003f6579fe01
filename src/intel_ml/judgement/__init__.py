"""Opinions and rules to one recommendation. Decides; neither looks into the store nor acts.

rules     deterministic rules: language, compiler, templates
policy    the rules as a policy beside the learned ones
arbiter   shadow or live: whose recommendation is shown
"""
