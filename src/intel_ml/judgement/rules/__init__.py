"""Deterministic rules: read from JSON, checked, compiled to columns, explained where they fire.

conditions   the tree: conditions joined by AND, OR, NOT
parsing      conditions from JSON, checked against the catalogue
language     whole rules from JSON and back
compiler     rules as column masks, in three-valued logic
rows         the same for one state, and which conditions decided
sentences    why, in words
evaluation   all rules against all entities
templates    the rules every account starts with
"""

from intel_ml.judgement.rules.evaluation import Evaluation, Hit, evaluate
from intel_ml.judgement.rules.language import Category, ExecutionMode, Rule, parse_rule, rule_json

__all__ = [
    "Category",
    "Evaluation",
    "ExecutionMode",
    "Hit",
    "Rule",
    "evaluate",
    "parse_rule",
    "rule_json",
]
