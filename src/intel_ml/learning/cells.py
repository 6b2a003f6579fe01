"""Cells: how far the policy may go with one arm in one archetype of an account.

    shadow      its view is logged, the rules are shown
    live        its view is shown, a person decides
    automatic   what it is surer of than the cell's threshold goes on without a person, save a
                share that is asked about at random: the audits

Without a row a cell follows its account's mode. Automatic is granted by a person, never by a
program, and only where the account's own verdicts prove the promise (`evaluation.autonomy`); it
belongs to the version of the policy that earned it. A new version brings what it earned while it
was asked beside the one before (`beside`), and needs a grant of its own. Each verdict on an audit,
and each undoing of what ran by itself, is weighed: the cell falls back to live the moment the
promise is contradicted.

Reads   verdicts beside how sure the policy was before them; `intel_policy_cell`.
Gives   `Cell`, the evidence, and rows: who let it go how far, when, why.
Never   changes a row, and never makes a cell automatic past a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.actions import Arm
from intel_ml.core.errors import ConflictError, NotFoundError
from intel_ml.data.store.tables import AdAccount, PolicyCell
from intel_ml.learning.beside import NOTHING, Seen, beside, speaks_now
from intel_ml.learning.evaluation.autonomy import (
    Autonomy,
    Promise,
    contradiction,
    earned_so_far,
)

#: The archetype of what no archetype was found for.
NO_ARCHETYPE = ""
WATCH = "autonomy watch"


class CellMode(StrEnum):
    """How far the policy may go."""

    SHADOW = "shadow"
    LIVE = "live"
    AUTOMATIC = "automatic"


Key = tuple[str, Arm]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it was last set; `evidence` is what automatic was granted on."""

    account_id: str
    archetype: str
    arm: Arm
    mode: CellMode
    since: datetime
    set_by: str
    reason: str
    id: int
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def threshold(self) -> float | None:
        """Above which sureness changes go on by themselves; None where none do."""
        found = self.evidence.get("threshold")
        return float(found) if self.mode is CellMode.AUTOMATIC and found is not None else None

    def lets_pass(self, *, confidence: float, model: str) -> bool:
        """Return whether a change this model is that sure of may go on by itself."""
        bar = self.threshold
        return bar is not None and self.evidence.get("model") == model and confidence > bar


@dataclass(frozen=True, slots=True)
class Earned:
    """What the verdicts of one cell prove, of which model.

    `beside` of them are from when that model was the challenger; `asked` and `disagreed` count
    since the grant.
    """

    account_id: str
    archetype: str
    arm: Arm
    model: str | None
    found: Autonomy
    cell: Cell | None
    asked: int = 0
    disagreed: int = 0
    beside: int = 0

    @property
    def mode(self) -> CellMode | None:
        """How far the cell may go now; None where it follows its account."""
        return None if self.cell is None else self.cell.mode

    @property
    def e_value(self) -> float:
        """The evidence against the promise since it was granted."""
        return contradiction(asked=self.asked, disagreed=self.disagreed, promise=self.found.promise)


_CURRENT = text(
    """
    SELECT DISTINCT ON (archetype, arm) archetype, arm, mode, since, set_by, reason, id, evidence
    FROM intel_policy_cell WHERE ad_account_id = :account ORDER BY archetype, arm, id DESC
    """
)
_VERDICTS = text(
    """
    SELECT coalesce(decision.archetype, '') AS archetype, decision.proposed AS arm,
        decision.policy_name || ' ' || decision.policy_version AS model,
        array_agg(decision.policy_confidence ORDER BY action.created_at, action.id) AS sure,
        array_agg(action.human_decision = 'approved' ORDER BY action.created_at, action.id)
            AS agreed
    FROM intel_automation_action AS action
    JOIN intel_decision AS decision ON decision.ad_account_id = action.ad_account_id
        AND decision.decision_id = action.decision_id
    WHERE action.ad_account_id = :account AND action.human_decision IS NOT NULL
        AND action.source <> 'exploration' AND decision.policy_arm = decision.proposed
        AND decision.policy_confidence IS NOT NULL AND decision.as_of > :since
    GROUP BY 1, 2, 3 ORDER BY 1, 2, max(decision.as_of)
    """
)
_WATCHED = text(
    """
    SELECT count(*), count(*) FILTER (WHERE said IS DISTINCT FROM 'approved' OR undone) FROM (
        SELECT action.human_decision AS said, EXISTS (
            SELECT FROM intel_automation_action AS undoing
            WHERE undoing.ad_account_id = action.ad_account_id AND undoing.undoes_id = action.id
        ) AS undone
        FROM intel_automation_action AS action
        WHERE action.ad_account_id = :account AND action.autonomy ->> 'cell' = :cell
    ) AS watched WHERE said IS NOT NULL OR undone
    """
)
_WINDOW = timedelta(days=180)


def cells(session: Session, account_id: str) -> dict[Key, Cell]:
    """Return the account's cells as they were last set."""
    found = {}
    for archetype, arm, mode, since, by, reason, key, evidence in session.execute(
        _CURRENT, {"account": account_id}
    ):
        found[archetype, Arm(arm)] = Cell(
            account_id, archetype, Arm(arm), CellMode(mode), since, by, reason, key, evidence or {}
        )
    return found


def evidence(
    session: Session,
    account_id: str,
    *,
    now: datetime,
    floor: float,
    promise: Promise | None = None,
) -> list[Earned]:
    """Return what the verdicts prove of each cell, of the model that speaks there now.

    That is the one asked last in the account, where anything is known of it, else the one judged
    last. Only proposals the policy agreed with count: nothing else would run by itself. How sure it
    was stood in the log before the person was asked, so the proof is of a model that didn't know.
    """
    known, since = cells(session, account_id), now - _WINDOW
    own = {
        (archetype, Arm(arm), model): Seen(np.array(sure, float), np.array(agreed, dtype=bool))
        for archetype, arm, model, sure, agreed in session.execute(
            _VERDICTS, {"account": account_id, "since": since}
        )
    }
    last = {(archetype, arm): model for archetype, arm, model in own}
    speaker = speaks_now(session, account_id, since=since)
    lent = {} if speaker is None else beside(session, account_id, model=speaker, since=since)
    found = []
    for archetype, arm in sorted({*last, *lent, *known}):
        key = archetype, arm
        is_known = key in lent or (*key, speaker) in own
        model = speaker if is_known else last.get(key)
        early = lent.get(key, NOTHING)
        seen = early.then(own.get((*key, model), NOTHING))
        cell = known.get(key)
        asked, disagreed = _watched(session, cell)
        gate = earned_so_far(seen.sure, seen.agreed, promise=promise, floor=floor)
        found.append(
            Earned(account_id, archetype, arm, model, gate, cell, asked, disagreed, len(early))
        )
    return found


def grant(  # noqa: PLR0913  # the cell, who grants it, and under which limits
    session: Session,
    account_id: str,
    *,
    archetype: str,
    arm: Arm,
    by: str,
    reason: str,
    now: datetime,
    floor: float,
    require_days: int,
    promise: Promise | None = None,
) -> Cell:
    """Let a cell go on by itself where its verdicts prove the promise; else say what is missing."""
    account = _account(session, account_id)
    if arm is Arm.MAINTAIN:
        raise ConflictError("Leaving things as they are needs no one's leave.")
    ripe = account.onboarded_at + timedelta(days=require_days)
    if now < ripe:
        raise ConflictError(
            f"The account's first {require_days} days ask a person for each change.",
            hint=f"REQUIRE_APPROVAL_FOR_DAYS; they end on {ripe:%Y-%m-%d}.",
        )
    every = evidence(session, account_id, now=now, floor=floor, promise=promise)
    found = next((one for one in every if (one.archetype, one.arm) == (archetype, arm)), None)
    if found is None or not found.found.has_passed:
        told = found.found.text if found else "Nobody has judged a proposal of this cell yet."
        raise ConflictError(
            f"{_named(archetype, arm)} has not earned it. {told}",
            hint="`intel-ml autonomy list` shows what each cell has proven.",
        )
    proof = found.found.as_json() | {
        "model": found.model,
        "floor": floor,
        "beside": found.beside,
    }
    return _set(
        session, account_id, (archetype, arm), CellMode.AUTOMATIC, _By(by, reason, now, proof)
    )


def set_mode(  # noqa: PLR0913  # the cell, how far it may go, and who says so
    session: Session,
    account_id: str,
    *,
    archetype: str,
    arm: Arm,
    mode: CellMode,
    by: str,
    reason: str,
    now: datetime,
) -> Cell:
    """Set a cell to shadow or live: a step back, or out of shadow, needs no proof."""
    _account(session, account_id)
    if mode is CellMode.AUTOMATIC:
        raise ConflictError("Automatic is granted, not set.", hint="`intel-ml autonomy grant`.")
    return _set(session, account_id, (archetype, arm), mode, _By(by, reason, now))


def reconsider(session: Session, account_id: str, *, now: datetime) -> list[Cell]:
    """Take automatic away wherever what was seen since contradicts the promise; return those."""
    fallen = []
    for (archetype, arm), cell in cells(session, account_id).items():
        if cell.mode is not CellMode.AUTOMATIC:
            continue
        asked, disagreed = _watched(session, cell)
        promise = Promise(risk=cell.evidence["risk"], delta=cell.evidence["delta"])
        value = contradiction(asked=asked, disagreed=disagreed, promise=promise)
        if value < 1 / promise.delta:
            continue
        why = (
            f"{disagreed} of {asked} looked at since were disagreed with: at most "
            f"{promise.risk:.0%} was promised (e-value {value:.1f})"
        )
        proof = {**cell.evidence, "asked": asked, "disagreed_since": disagreed, "e_value": value}
        told = _By(WATCH, why, now, proof)
        fallen.append(_set(session, account_id, (archetype, arm), CellMode.LIVE, told))
    return fallen


def history(session: Session, account_id: str) -> list[Cell]:
    """Return every change of every cell of the account, oldest first."""
    rows = session.query(PolicyCell).filter_by(ad_account_id=account_id).order_by(PolicyCell.id)
    return [_cell(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _By:
    """Who says so, why, when, on which evidence."""

    name: str
    reason: str
    now: datetime
    evidence: Mapping[str, Any] | None = None


def _set(session: Session, account_id: str, key: Key, mode: CellMode, told: _By) -> Cell:
    row = PolicyCell(
        ad_account_id=account_id,
        archetype=key[0],
        arm=key[1],
        mode=mode,
        since=told.now,
        set_by=told.name,
        reason=told.reason,
        evidence=None if told.evidence is None else dict(told.evidence),
    )
    session.add(row)
    session.flush()
    return _cell(row)


def _cell(row: PolicyCell) -> Cell:
    return Cell(
        account_id=row.ad_account_id,
        archetype=row.archetype,
        arm=Arm(row.arm),
        mode=CellMode(row.mode),
        since=row.since,
        set_by=row.set_by,
        reason=row.reason,
        id=row.id,
        evidence=row.evidence or {},
    )


def _watched(session: Session, cell: Cell | None) -> tuple[int, int]:
    """Return how many of a grant's changes people saw, and of how many they thought otherwise."""
    if cell is None or cell.mode is not CellMode.AUTOMATIC:
        return 0, 0
    keys = {"account": cell.account_id, "cell": str(cell.id)}
    asked, disagreed = session.execute(_WATCHED, keys).one()
    return int(asked), int(disagreed)


def _account(session: Session, account_id: str) -> AdAccount:
    account = session.get(AdAccount, account_id)
    if account is None:
        raise NotFoundError(f"There is no account {account_id}.")
    return account


def _named(archetype: str, arm: Arm) -> str:
    return f"'{arm}' in {archetype or 'no archetype'}"
