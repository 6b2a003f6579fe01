"""Commands of the operator: stop acting, act again, follow or undo one action."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from intel_ml.core.errors import InvalidValueError
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

_LARGEST_ID = 2**63 - 1


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(kill)
    app.command()(revive)
    app.command()(audit)
    app.command()(undo)


def kill(
    reason: Annotated[str, typer.Option(help="Why; everyone will read it.")],
    as_json: Json = False,
) -> None:
    """Stop every change to every account, within five seconds."""
    _switch(reason, is_on=False, as_json=as_json)


def revive(
    reason: Annotated[str, typer.Option(help="Why it is safe again.")],
    as_json: Json = False,
) -> None:
    """Allow the executor to act again."""
    _switch(reason, is_on=True, as_json=as_json)


def audit(
    action: Annotated[
        int, typer.Argument(min=1, max=_LARGEST_ID, help="The number of the action.")
    ],
    as_json: Json = False,
) -> None:
    """Print everything that ever happened to one action."""
    from intel_ml.operations.audit import trail
    from intel_ml.surfaces.platform import open_store

    with open_store(opened()).session() as session:
        events = trail(session, action_id=action)
    if as_json:
        print_json(events)
        return
    print_table(
        f"Action {action}",
        ["when", "what", "who", "detail"],
        [
            (event.at.isoformat(timespec="seconds"), event.kind, event.actor, event.says)
            for event in events
        ],
    )


def undo(
    action: Annotated[
        int, typer.Argument(min=1, max=_LARGEST_ID, help="The number of the executed action.")
    ],
    account: Annotated[str, typer.Option(help="The account of the action, act_…")],
    user: Annotated[str, typer.Option(help="Who asks for it; an approver of the account.")],
    as_json: Json = False,
) -> None:
    """Ask the executor to put back what an executed action changed."""
    from intel_ml.core.errors import NotFoundError
    from intel_ml.data.store import accounts as stored
    from intel_ml.data.store.sessions import platform_now
    from intel_ml.operations.undo import undo as undo_action
    from intel_ml.surfaces.platform import open_store

    with open_store(opened()).session() as session:
        found = stored.person_named(session, user)
        if found is None:
            raise NotFoundError(f"There is no user '{user}'.")
        decided = undo_action(
            session,
            account_id=account,
            action_id=action,
            by=found[0],
            now=platform_now(session),
        )
    if as_json:
        print_json(decided)
    else:
        say(f"{decided.says} `intel-ml audit {decided.action_id}` tells more.")


def _switch(reason: str, *, is_on: bool, as_json: bool) -> None:
    from intel_ml.operations import switches
    from intel_ml.surfaces.platform import open_store

    if not reason.strip():
        raise InvalidValueError(path="--reason", problem="is empty", hint="Everyone will read it.")
    settings = opened()
    who = getpass.getuser()
    with open_store(settings).session() as session:
        if is_on:
            switches.revive(session, reason=reason, by=who)
        else:
            switches.kill(session, reason=reason, by=who)
    if as_json:
        print_json({"acting": is_on, "reason": reason, "by": who})
    else:
        say(
            "The executor may act again."
            if is_on
            else "Nothing will be changed until `intel-ml revive`."
        )
