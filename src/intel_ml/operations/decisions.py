"""One cycle of one account: every active entity judged, drawn, logged, and perhaps proposed.

Reads   the account's latest states, structure, rules, and the policy that is handed in.
Gives   decisions, proposals, notices, and a `CycleReport` of what was looked at.
Never   decides twice about the same moment, and never acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ActionStatus, Arm
from intel_ml.core.ids import LEVEL_NAMES, Entity, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Source
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AutomationAction, AutomationRule, CollectionRun
from intel_ml.features.catalogue import features_hash
from intel_ml.features.states import States
from intel_ml.judgement.rules.language import Rule
from intel_ml.learning.cells import Cell, cells, reconsider
from intel_ml.learning.states import current_states, save_states
from intel_ml.operations import notices, proposals, rulebook
from intel_ml.operations.approvals import action_from
from intel_ml.operations.decision_rows import Decided, Moment, decision_id, log_decisions
from intel_ml.operations.expecting import with_expectations
from intel_ml.operations.exploring import drawn, left_today
from intel_ml.operations.judging import Judges, Verdicts, judge
from intel_ml.operations.limits import Limits
from intel_ml.operations.recalling import with_cases
from intel_ml.operations.standing import Standing, standings
from intel_ml.operations.views import PolicyInUse
from intel_ml.operations.wording import headline

log = structlog.get_logger()

CYCLE, REQUEST = "cycle", "request"


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle looked at and what came of it.

    `unknown` counts, by rule, what could not be told.
    """

    account_id: str
    as_of: datetime
    checked: int
    hits: int
    unknown: Mapping[str, int]
    decisions: int
    proposals: int
    held_out: int
    explored: int
    notices: int


def decide(  # noqa: PLR0913  # the account, its moment, its limits, its models
    store: Store,
    account: Account,
    *,
    now: datetime,
    limits: Limits,
    policy: PolicyInUse | None = None,
    challenger: PolicyInUse | None = None,
    archetypes: Mapping[Entity, str] | None = None,
    mode: Mode | None = None,
) -> CycleReport:
    """Run the account's cycle for the moment `now`.

    Run again for the same moment, it changes nothing.
    """
    states = current_states(store, account, now=now)
    with store.connection() as connection:
        save_states(connection, states)
    with store.session() as session:
        fallen = reconsider(session, account.id, now=now)
        places = standings(session, account, now=now, limits=limits)
        states = _active(states, places)
        judges = Judges(
            rules=rulebook.rules(session, account.id),
            policy=policy,
            challenger=challenger,
            archetypes=archetypes or {},
            mode=mode or account.mode,
            limits=limits,
            currency=account.currency,
            cells=cells(session, account.id),
        )
        keys = [decision_id(entity, as_of=now) for entity in states.entities]
        verdicts = judge(states, places, judges, keys=keys)
        left = left_today(session, account, verdicts.judged, now=now, limits=limits)
        told = drawn(verdicts.judged, keys=keys, left=left, limits=limits)
        decided = [Decided(key, one, draw) for key, (one, draw) in zip(keys, told, strict=True)]
        decided = with_cases(with_expectations(decided, states, policy), states, policy)
        moment = Moment(now, CYCLE, judges.mode, features_hash())
        new = log_decisions(session, moment, decided)
        fresh = [one for one in decided if one.id in new]
        cycle = proposals.Cycle(
            account=account,
            now=now,
            data_as_of=_data_as_of(session, account, now=now),
            limits=limits,
            features=tuple(policy.policy.features) if policy else (),
            cells=judges.cells,
        )
        proposals.expire(session, now=now)
        proposals.overtake(session, account, still=_still(verdicts), now=now)
        acting = [one for one in fresh if one.draw.arm is not Arm.MAINTAIN]
        made = proposals.propose(
            session, cycle, [proposals.Proposed(o.id, o.judged, o.draw) for o in acting]
        )
        said = _notices(verdicts, places, now=now) if fresh else []
        said_to = notices.say(
            session,
            account_id=account.id,
            notices=[*said, *_fallen(fallen), *_summary(session, account, made, now)],
            now=now,
        )
        _count_hits(session, account, verdicts, now=now) if fresh else None
    report = CycleReport(
        account_id=account.id,
        as_of=now,
        checked=verdicts.evaluation.checked,
        hits=len(verdicts.evaluation.hits),
        unknown=dict(verdicts.evaluation.unknown),
        decisions=len(fresh),
        proposals=len(made),
        held_out=sum(one.draw.is_held_out for one in fresh),
        explored=sum(one.draw.is_explored for one in fresh),
        notices=said_to,
    )
    log.info(
        "cycle decided",
        account=account.id,
        checked=report.checked,
        hits=report.hits,
        proposals=report.proposals,
    )
    return report


def _active(states: States, places: Mapping[Entity, Standing]) -> States:
    rows = [
        row
        for row, entity in enumerate(states.entities)
        if (place := places.get(entity)) is not None and place.delivers
    ]
    return states.take(rows)


def _data_as_of(session: Session, account: Account, *, now: datetime) -> datetime:
    latest = session.scalar(
        select(func.max(CollectionRun.as_of)).where(
            CollectionRun.ad_account_id == account.id,
            CollectionRun.status.in_(("done", "partial")),
            CollectionRun.as_of <= now,
        )
    )
    return latest or now


def _still(verdicts: Verdicts) -> list[str]:
    """Return type:id:rule of every hit, for proposals that wait because of it."""
    return [
        f"{verdicts.judged[hit.row].standing.entity}:{hit.rule.id}"
        for hit in verdicts.evaluation.hits
    ]


def _notices(
    verdicts: Verdicts, places: Mapping[Entity, Standing], *, now: datetime
) -> list[notices.Notice]:
    """Return what rules only say, once a day for each entity and rule."""
    said = []
    for notice in verdicts.said:
        entity = verdicts.judged[notice.row].standing.entity
        rule: Rule = notice.rule
        why = proposals.why_in_a_sentence(notice.reasons)
        said.append(
            notices.Notice(
                type="recommendation",
                severity="warning",
                title=f"{rule.name}: {LEVEL_NAMES[entity.type]} {places[entity].name}",
                message=f"{rule.message}. {why}" if rule.message else why,
                entity_type=entity.type,
                entity_id=entity.id,
                key=f"{rule.id}:{entity}:{now:%Y-%m-%d}",
            )
        )
    return said


def _fallen(cells: Sequence[Cell]) -> list[notices.Notice]:
    """Return what is said where changes do not go on by themselves any more."""
    return [
        notices.Notice(
            type="system",
            severity="warning",
            title=f"'{one.arm}' asks a person again ({one.archetype or 'no archetype'})",
            message=f"It went on by itself until now. {one.reason}.",
            key=f"cell:{one.account_id}:{one.id}",
        )
        for one in cells
    ]


def _summary(
    session: Session, account: Account, made: Mapping[str, int], now: datetime
) -> list[notices.Notice]:
    """Return the note of what waits since this cycle; tries and what goes on alone call nobody."""
    rows = session.scalars(
        select(AutomationAction)
        .where(
            AutomationAction.ad_account_id == account.id,
            AutomationAction.id.in_(made.values()),
            AutomationAction.status == ActionStatus.PENDING_APPROVAL,
            AutomationAction.source != Source.EXPLORATION,
        )
        .order_by(AutomationAction.stake_minor.desc(), AutomationAction.id)
    ).all()
    if not rows:
        return []
    first = rows[0]
    action = action_from(first.action_type, first.action_params)
    order = headline(action, level=EntityType(first.entity_type), name=first.entity_name)
    stake = Money(first.stake_minor, account.currency)
    is_one = len(rows) == 1
    return [
        notices.Notice(
            type="action_pending",
            severity="info",
            title=order if is_one else f"{len(rows)} new proposals for {account.name}",
            message=f"{account.name}: waits for an answer, {stake} at stake a day."
            if is_one
            else f"Most at stake: {order} ({stake} a day).",
            action_url=notices.action_page(account.id, first.id) if is_one else "/",
            key=f"cycle:{account.id}:{now.isoformat()}",
            data={"actions": sorted(row.id for row in rows)},
        )
    ]


def _count_hits(session: Session, account: Account, verdicts: Verdicts, *, now: datetime) -> None:
    counts: dict[int, int] = {}
    for hit in verdicts.evaluation.hits:
        counts[hit.rule.id] = counts.get(hit.rule.id, 0) + 1
    for rule_id, count in counts.items():
        session.execute(
            update(AutomationRule)
            .where(AutomationRule.ad_account_id == account.id, AutomationRule.id == rule_id)
            .values(times_triggered=AutomationRule.times_triggered + count, last_triggered_at=now)
        )
