"""The tables, by what they remember; every key leads with the ad account.

base          the declarative base and the column types used throughout
accounts      people, accounts, rights, tokens
entities      the account's structure as last seen, and every change of it
performance   what was delivered, as seen at a moment
decisions     rules, decisions, actions and their journal
learning      training rows, models, patterns, scores
running       runs, leases, switches, quarantine, notifications, the clock
"""

from intel_ml.data.store.tables.accounts import AdAccount, ApiToken, Membership, User
from intel_ml.data.store.tables.base import Base
from intel_ml.data.store.tables.decisions import (
    ActionEvent,
    AutomationAction,
    AutomationRule,
    Decision,
)
from intel_ml.data.store.tables.entities import (
    EntityRevision,
    EntityRow,
    EntityState,
    EntityVersion,
)
from intel_ml.data.store.tables.learning import (
    AccountScore,
    LearnedPattern,
    ModelVersion,
    PolicyCell,
    TrainingRow,
)
from intel_ml.data.store.tables.performance import (
    PerformanceDaily,
    PerformanceSnapshot,
    PerformanceWeekly,
    PixelHealth,
)
from intel_ml.data.store.tables.running import (
    Clock,
    CollectionRun,
    FileMapping,
    JobRun,
    Notification,
    Quarantine,
    Switch,
)

__all__ = [
    "AccountScore",
    "ActionEvent",
    "AdAccount",
    "ApiToken",
    "AutomationAction",
    "AutomationRule",
    "Base",
    "Clock",
    "CollectionRun",
    "Decision",
    "EntityRevision",
    "EntityRow",
    "EntityState",
    "EntityVersion",
    "FileMapping",
    "JobRun",
    "LearnedPattern",
    "Membership",
    "ModelVersion",
    "Notification",
    "PerformanceDaily",
    "PerformanceSnapshot",
    "PerformanceWeekly",
    "PixelHealth",
    "PolicyCell",
    "Quarantine",
    "Switch",
    "TrainingRow",
    "User",
]
