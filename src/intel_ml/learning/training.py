"""The log that policies learn from: one row a decision that is over.

Reads   `intel_ml_training_data`, one horizon at a time, and whether an account shares.
Gives   a pandas frame whose columns are those of `COLUMNS`, `state_<feature>` and `pmf_<arm>`; a
        mark on the rows that a batch has learned from; the policies a model.toml describes.
Never   fills in what is unknown: a reward not yet measured is NaN, and so is a feature that could
        not be computed.

`p_executed` is computed anew from every verdict known now, so that the order in which outcomes
arrived does not matter; the table keeps what it was when the row was written, by the same formula.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.features.catalogue import names
from intel_ml.learning.gates import ModelDescription
from intel_ml.learning.horizons import HORIZON_HOURS, HORIZONS
from intel_ml.learning.propensity import Transitions, executed_probability, transitions

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.intelligence.policy.protocol import Policy

#: The kind of policy that is told which accounts lend to each other.
_SHARING = "sharing"
#: These let no account learn from another that does not share; every other kind is made one an
#: account (`intelligence.policy.apart`).
_KEEPS_ACCOUNTS_APART = {_SHARING, "rules", "uniform"}
#: What each column means, beside `state_<feature>` (see the catalogue) and `pmf_<arm>`.
COLUMNS = {
    "decision_id": "the decision's key; `intel-ml audit` walks from it to everything else",
    "ad_account_id": "the ad account",
    "entity_type": "campaign, adset or ad",
    "entity_id": "the entity's id at the platform",
    "as_of": "the moment the state was taken (UTC)",
    "proposed": "the arm that was proposed; maintain where nothing was",
    "is_held_out": "a rule fired, and chance said to leave the unit alone, to compare with",
    "verdict": "what a person said: approved, rejected, modified; None where nobody did",
    "verdict_reason": "why, in the person's words",
    "executed": "the arm really executed; maintain after a rejection, expiry, failure or undo",
    "p_executed": "probability of `executed` under proposal and approval, by archetype, together",
    "action_source": "who was behind it: human, rule or model",
    "horizon_hours": "how long after the action it was measured: 24, 48 or 72; never mixed",
    "measured_at": "when it was measured (UTC); before that nobody could know it",
    "reward_before_after": "the plan's formula: state after the horizon against before; flatters "
    "actions; states look back 3 days, so before 72 h they share hours and it is pulled to 0",
    "reward_against_holdout": "earned, less what held-out units that stood alike earned by then",
    "reward_earned": "purchases at target CPA less spend, after less before, by money in play: of "
    "the last 3 days at 72 h, of the 24 or 48 h since the action, and before it, at those",
    "reward_of_pause": "what a pause would have earned: known without trying, nothing is spent",
    "reward": "what teaches: against_holdout where it is known, earned otherwise",
    "share_learning": "whether the account lends its experience to others that do, and borrows",
    "archetype": "the entity's archetype when the decision was made",
    "rule_id": "the rule that fired",
}


def training_log(
    connection: Connection,
    *,
    account: str | None = None,
    days: int | None = None,
    horizon_hours: int = HORIZON_HOURS,
    now: datetime,
) -> pd.DataFrame:
    """Return the decisions of an account (or all), of the last `days` (or ever), oldest first."""
    if horizon_hours not in HORIZONS:
        raise InvalidValueError(
            path="horizon",
            problem=f"{horizon_hours} hours are not measured",
            hint=f"Measured are {', '.join(map(str, HORIZONS))}.",
        )
    import pandas as pd  # noqa: PLC0415  # heavy

    since = None if days is None else now - timedelta(days=days)
    rows = connection.execute(
        text(
            """
            SELECT decision_id, ad_account_id, entity_type, entity_id, state_captured_at AS as_of,
                   state_vector, pmf, proposed, is_held_out, verdict, verdict_reason, executed,
                   action_source, horizon_hours, outcome_measured_at AS measured_at, share_learning,
                   reward_before_after, reward_against_holdout, archetype, rule_id,
                   (outcome_details ->> 'earned')::float8 AS reward_earned,
                   (outcome_details ->> 'of_a_pause')::float8 AS reward_of_pause,
                   coalesce(reward_against_holdout,
                            (outcome_details ->> 'earned')::float8) AS reward
            FROM intel_ml_training_data JOIN intel_ad_account USING (ad_account_id)
            WHERE (CAST(:account AS text) IS NULL OR ad_account_id = :account)
              AND horizon_hours = :horizon
              AND (CAST(:since AS timestamptz) IS NULL OR state_captured_at > :since)
              AND state_captured_at <= :now
            ORDER BY state_captured_at, ad_account_id, decision_id
            """
        ),
        {"account": account, "since": since, "now": now, "horizon": horizon_hours},
    ).mappings()
    approvals = _approvals(connection, account)
    records = [_record(row, approvals) for row in rows]
    columns = [
        *(c for c in COLUMNS if c not in ("archetype", "rule_id")),
        "archetype",
        "rule_id",
        *(f"pmf_{arm}" for arm in ARMS),
    ]
    states = sorted({name for record in records for name in record if name.startswith("state_")})
    frame = pd.DataFrame.from_records(records, columns=[*columns, *(states or _state_columns())])
    for name in ("p_executed", *(c for c in COLUMNS if c.startswith("reward"))):
        frame[name] = frame[name].astype("float64")
    for name in ("as_of", "measured_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def new_policies(
    model: ModelDescription, *, seed: int, sharing: Collection[str]
) -> dict[str, Policy]:
    """Return the policies a model.toml describes, unlearned, in its order.

    An account that does not share is kept to itself by all of them; `sharing` may hold new ones.
    """
    from intel_ml.intelligence.policy import make_policy  # noqa: PLC0415  # numpy and friends
    from intel_ml.intelligence.policy.apart import Policy as Apart  # noqa: PLC0415

    made: dict[str, Policy] = {}
    for one in model.training.considered:
        lends = {"sharing": sorted(sharing)} if one.algorithm == _SHARING else {}
        policy = make_policy(
            one.algorithm,
            features=list(model.training.features),
            seed=seed,
            **lends,
            **one.parameters,
        )
        kept = one.algorithm in _KEEPS_ACCOUNTS_APART
        made[one.name] = policy if kept else Apart(policy, sharing=sharing)
    return made


def new_policy(
    model: ModelDescription, *, seed: int, sharing: Collection[str], candidate: str = ""
) -> Policy:
    """Return one of them: the first listed, or the `candidate` of that name."""
    made = new_policies(model, seed=seed, sharing=sharing)
    if candidate and candidate not in made:
        raise UnknownNameError(kind="candidate", name=candidate, known=made)
    return made[candidate or next(iter(made))]


def mark_used(connection: Connection, log: pd.DataFrame, *, batch: str) -> int:
    """Mark the rows of a log as learned from in a batch, an MLflow run; return how many."""
    keys = log[["ad_account_id", "decision_id", "horizon_hours"]]
    found = connection.execute(
        text(
            "UPDATE intel_ml_training_data AS t "
            "SET used_for_training = true, training_batch_id = :batch "
            "FROM unnest(CAST(:accounts AS text[]), CAST(:decisions AS text[]), "
            "CAST(:horizons AS int[])) AS used(account, decision, horizon) "
            "WHERE t.ad_account_id = used.account AND t.decision_id = used.decision "
            "AND t.horizon_hours = used.horizon"
        ),
        {
            "batch": batch,
            "accounts": keys["ad_account_id"].tolist(),
            "decisions": keys["decision_id"].tolist(),
            "horizons": keys["horizon_hours"].astype(int).tolist(),
        },
    )
    return found.rowcount


def _record(row: Mapping[Any, Any], approvals: Mapping[str, Transitions]) -> dict[str, Any]:
    record = {name: value for name, value in row.items() if name not in ("state_vector", "pmf")}
    record["p_executed"] = executed_probability(
        row["pmf"],
        row["executed"],
        transition=approvals[row["ad_account_id"]].of(row["archetype"]),
    )
    record |= {f"pmf_{arm}": float(row["pmf"].get(arm, 0.0)) for arm in ARMS}
    return record | {f"state_{name}": value for name, value in row["state_vector"].items()}


def _approvals(connection: Connection, account: str | None) -> dict[str, Transitions]:
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (ad_account_id, decision_id) "
            "ad_account_id, archetype, proposed, executed FROM intel_ml_training_data "
            "WHERE CAST(:account AS text) IS NULL OR ad_account_id = :account"
        ),
        {"account": account},
    )
    fates: dict[str, list[tuple[str | None, str, str]]] = defaultdict(list)
    for row in rows:
        fates[row.ad_account_id].append((row.archetype, row.proposed, row.executed))
    return {name: transitions(found) for name, found in fates.items()}


def _state_columns() -> list[str]:
    from intel_ml.features.feature import Role  # noqa: PLC0415  # only for an empty log

    return [f"state_{name}" for name in names(role=Role.STATE)]
