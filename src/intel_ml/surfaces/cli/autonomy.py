"""Commands about what may go on without a person: proven, granted, revoked, by whom and why."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from intel_ml.core.actions import Arm
    from intel_ml.learning.cells import Cell, Earned
    from intel_ml.surfaces.settings import Settings

app = typer.Typer(
    help="What may go on without a person: what is proven, granted, revoked.", no_args_is_help=True
)
AccountId = Annotated[str, typer.Argument(help="The ad account, e.g. act_101.")]
ArmName = Annotated[str, typer.Argument(metavar="ARM", help="pause, scale_10, reduce_20, …")]
Archetype = Annotated[str, typer.Option(help="The archetype; empty for those without one.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the cell.")]
Html = Annotated[
    str, typer.Option("--html", help="Also write the evidence as a page to this file.")
]


@app.command("list")
def list_cells(account: AccountId, as_json: Json = False, html: Html = "") -> None:
    """Show each cell (archetype and arm): how far it may go, what its verdicts prove."""
    from pathlib import Path

    from intel_ml.learning.cells import evidence
    from intel_ml.reporting.autonomy import page

    with _opened() as (session, settings, now):
        found = evidence(session, account, now=now, floor=settings.min_confidence_for_auto)
    if html:
        Path(html).write_text(page(found, account=account), encoding="utf-8")
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        "",
        ["archetype", "arm", "mode", "judged", "by itself", "surer than", "model", "says"],
        [
            (
                one.archetype or "none",
                one.arm.value,
                one.mode.value if one.mode else "as the account",
                one.found.n,
                f"{one.found.coverage:.0%}",
                "" if one.found.threshold is None else f"{one.found.threshold:.2f}",
                one.model,
                _says(one),
            )
            for one in found
        ],
    )


@app.command()
def grant(
    account: AccountId,
    arm: ArmName,
    reason: Reason,
    archetype: Archetype = "",
    as_json: Json = False,
) -> None:
    """Let an arm go on by itself where the account's own verdicts prove that it may."""
    from intel_ml.learning.cells import grant as grant_cell

    with _opened() as (session, settings, now):
        cell = grant_cell(
            session,
            account,
            archetype=archetype,
            arm=_arm(arm),
            by=getpass.getuser(),
            reason=reason,
            now=now,
            floor=settings.min_confidence_for_auto,
            require_days=settings.require_approval_for_days,
        )
        switched_on = settings.enable_action_executor
    _tell(cell, as_json=as_json)
    if not as_json and not switched_on:
        say("Nothing goes on by itself yet: ENABLE_ACTION_EXECUTOR=false.")


@app.command()
def revoke(
    account: AccountId,
    arm: ArmName,
    reason: Reason,
    archetype: Archetype = "",
    to: Annotated[
        str, typer.Option(help="How far it may go from now on: live or shadow.")
    ] = "live",
    as_json: Json = False,
) -> None:
    """Take it back: a person decides again (live), or the rules are shown (shadow)."""
    from intel_ml.core.errors import UnknownNameError
    from intel_ml.learning.cells import CellMode, set_mode

    if to not in set(CellMode):
        raise UnknownNameError(kind="mode", name=to, known=["live", "shadow"])
    with _opened() as (session, _, now):
        cell = set_mode(
            session,
            account,
            archetype=archetype,
            arm=_arm(arm),
            mode=CellMode(to),
            by=getpass.getuser(),
            reason=reason,
            now=now,
        )
    _tell(cell, as_json=as_json)


@app.command()
def history(account: AccountId, as_json: Json = False) -> None:
    """Show every change of every cell: who, when, why, on which evidence."""
    from intel_ml.learning.cells import history as read_history

    with _opened() as (session, _, _now):
        cells = read_history(session, account)
    if as_json:
        print_json(cells)
        return
    print_table(
        "",
        ["when", "archetype", "arm", "mode", "by", "why"],
        [
            (
                f"{one.since:%Y-%m-%d %H:%M}",
                one.archetype or "none",
                one.arm.value,
                one.mode.value,
                one.set_by,
                one.reason,
            )
            for one in cells
        ],
    )


def _arm(name: str) -> Arm:
    from intel_ml.core.actions import ARMS, Arm
    from intel_ml.core.errors import UnknownNameError

    if name not in set(ARMS):
        raise UnknownNameError(kind="arm", name=name, known=list(ARMS))
    return Arm(name)


def _says(one: Earned) -> str:
    if one.asked:
        return f"{one.disagreed} of {one.asked} looked at since disagreed with; {one.found.text}"
    return one.found.text


def _as_json(one: Earned) -> dict[str, Any]:
    return {
        "archetype": one.archetype,
        "arm": one.arm,
        "mode": one.mode,
        "model": one.model,
        "judged_beside": one.beside,
        "evidence": one.found.as_json(),
        "says": one.found.text,
        "since_granted": {
            "asked": one.asked,
            "disagreed": one.disagreed,
            "e_value": one.e_value,
        },
        "cell": one.cell,
    }


def _tell(cell: Cell, *, as_json: bool) -> None:
    if as_json:
        print_json(cell)
        return
    bar = "" if cell.threshold is None else f", where it is surer than {cell.threshold:.2f}"
    where = cell.archetype or "no archetype"
    say(f"'{cell.arm}' in {where} of {cell.account_id} is {cell.mode} now{bar}: {cell.reason}")


@contextmanager
def _opened() -> Iterator[tuple[Session, Settings, datetime]]:
    from intel_ml.surfaces.cli.opening import opened
    from intel_ml.surfaces.platform import open_store

    settings = opened()
    store = open_store(settings)
    try:
        with store.session() as session:
            yield session, settings, store.now()
    finally:
        store.close()
