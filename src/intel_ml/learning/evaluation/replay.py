"""What a policy would have done with decisions that were made.

Reads   a log of decisions.
Gives   its measured rows, what the log had tried, the policy's choices, and `LoggedDecisions`.
Never   lets a policy see what happened afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import Column, States
from intel_ml.intelligence.policy.context import LEVELS, PREFIX, numeric
from intel_ml.intelligence.policy.evidence import require, rewarded
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Choices, Policy
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.propensity import transitions

if TYPE_CHECKING:
    import pandas as pd


#: What the log calls less likely than this says nothing of what else might have happened.
MIN_PROBABILITY = 1e-3


@dataclass(frozen=True, slots=True)
class Replayed:
    """A policy's choices beside the log's.

    `logged` holds the policy restricted to arms the log could have tried; `supported_share` is how
    much of what it really would do that covers.
    """

    logged: LoggedDecisions
    choices: Choices
    supported_share: float


def measured(log: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that can judge, oldest first: with reward, executed arm, probability."""
    require(log, "executed", "reward", "p_executed")
    rows = rewarded(log)
    rows = rows[(rows["p_executed"] >= MIN_PROBABILITY).to_numpy()]
    return rows.sort_values("as_of", kind="stable") if "as_of" in rows else rows


def replay(policy: Policy, log: pd.DataFrame) -> Replayed:
    """Return what the policy would have done with each measured row."""
    rows = measured(log)
    actions = rows["executed"].map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp)
    states = states_of_log(rows, policy.features)
    keys = keys_of(rows)
    free = policy.choose(states, allowed=np.ones((len(rows), len(ARMS)), dtype=bool), keys=keys)
    open_ = tried(rows, actions)
    choices = free if open_.all() else policy.choose(states, allowed=open_, keys=keys)
    logged = LoggedDecisions(
        pmf_logged=np.minimum(rows["p_executed"].to_numpy(dtype=np.float64), 1.0),
        rewards=rows["reward"].to_numpy(dtype=np.float64),
        actions=actions,
        pmf_new=choices.pmf,
        units=units_of(rows),
    )
    return Replayed(logged, free, float((free.pmf * open_).sum(axis=1).mean()))


def may_be_asked(policy: Policy, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return in which decisions a policy would be asked: those about levels it learned of."""
    levels = policy.entity_types
    if not levels or "entity_type" not in rows:
        return np.ones(len(rows), dtype=np.bool_)
    return np.asarray(rows["entity_type"].isin(levels), dtype=np.bool_)


def tried(rows: pd.DataFrame, actions: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which arms had a chance in each decision; all where the log doesn't say."""
    columns = [f"pmf_{arm}" for arm in ARMS]
    if any(name not in rows for name in columns):
        return np.ones((len(rows), len(ARMS)), dtype=bool)
    open_ = np.column_stack([numeric(rows[name]) > 0 for name in columns])
    # A rejected proposal becomes `maintain`, and a person may do what nobody proposed.
    open_[:, MAINTAIN] = True
    open_[np.arange(len(rows)), actions] = True
    return np.asarray(open_, dtype=np.bool_)


def chances(rows: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return how likely each arm was to be executed, (n, 6); None where that was not logged.

    The logged pmf of proposals, times what people of that account make of each proposal for that
    archetype; for the arm that was executed the recorded probability stands. What is less likely
    than `MIN_PROBABILITY` counts as never tried: decisions where it happened are left out
    (`measured`), so nothing is known of it.
    """
    columns = [f"pmf_{arm}" for arm in ARMS]
    if any(name not in rows for name in (*columns, "proposed")):
        return None
    proposals = np.column_stack([np.nan_to_num(numeric(rows[name])) for name in columns])
    accounts = rows["ad_account_id"].to_numpy(dtype=object) if "ad_account_id" in rows else None
    kinds = rows["archetype"] if "archetype" in rows else [None] * len(rows)
    groups = np.array([kind if isinstance(kind, str) else None for kind in kinds], dtype=object)
    arms = rows[["proposed", "executed"]].to_numpy(dtype=object)
    found = np.empty_like(proposals)
    for account in [None] if accounts is None else sorted(set(accounts.tolist())):
        mine = np.ones(len(rows), dtype=bool) if accounts is None else accounts == account
        fates = zip(groups[mine], arms[mine, 0], arms[mine, 1], strict=True)
        approvals = transitions(fates)
        for group in set(groups[mine].tolist()):
            part = mine & (groups == group)
            found[part] = proposals[part] @ approvals.of(group)
    found[found < MIN_PROBABILITY] = 0.0
    actions = rows["executed"].map(ARM_INDEX).to_numpy(dtype=np.int64)
    found[np.arange(len(rows)), actions] = rows["p_executed"].to_numpy(dtype=np.float64)
    return found


def states_of_log(rows: pd.DataFrame, features: tuple[str, ...]) -> States:
    """Return the states that a policy with these features reads."""
    columns: dict[str, Column] = {}
    for name in features:
        series = rows.get(PREFIX + name)
        if series is not None:
            columns[name] = series.to_numpy(dtype=object) if name in LEVELS else numeric(series)
    kinds = rows["entity_type"] if "entity_type" in rows else [EntityType.ADSET] * len(rows)
    accounts = rows["ad_account_id"] if "ad_account_id" in rows else [""] * len(rows)
    ids = rows["entity_id"] if "entity_id" in rows else [""] * len(rows)
    entities = tuple(
        Entity(AdAccountId(str(account)), EntityType(str(kind)), EntityId(str(entity)))
        for account, kind, entity in zip(accounts, kinds, ids, strict=True)
    )
    moments = tuple(rows["as_of"]) if "as_of" in rows else ()
    return States(entities=entities, moments=moments, columns=columns)


def units_of(rows: pd.DataFrame) -> NDArray[np.intp] | None:
    """Return a number for what each row was about; None where the log doesn't say."""
    if "entity_id" not in rows:
        return None
    names = rows["entity_id"].astype(str)
    if "ad_account_id" in rows:
        names = rows["ad_account_id"].astype(str) + "/" + names
    return np.asarray(names.factorize()[0], dtype=np.intp)


def keys_of(rows: pd.DataFrame) -> list[str]:
    """Return the key of each row's draw: its decision."""
    ids = rows["decision_id"] if "decision_id" in rows else range(len(rows))
    return [str(key) for key in ids]
