"""Commands of the operator: stop acting, act again, follow or undo one action."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from intel_ml.surfaces.cli.output import Json, print_json, print_table, say


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(kill)
    app.command()(revive)
    app.command()(audit)
    app.command()(undo)


def kill(
    reason: Annotated[str, typer.Option(help="Why; everyone will read it.")],
    as_json: bool = Json,  # noqa: FBT001
) -> None:
    """Stop every change to every account, within five seconds."""
    _switch(reason, is_on=False, as_json=as_json)


def revive(
    reason: Annotated[str, typer.Option(help="Why it is safe again.")],
    as_json: bool = Json,  # noqa: FBT001
) -> None:
    """Allow the executor to act again."""
    _switch(reason, is_on=True, as_json=as_json)


def audit(
    action: Annotated[int, typer.Argument(help="The number of the action.")],
    as_json: bool = Json,  # noqa: FBT001
) -> None:
    """Print everything that ever happened to one action."""
    from intel_ml.operations.audit import trail
    from intel_ml.surfaces.platform import open_store
    from intel_ml.surfaces.settings import load_settings

    store = open_store(load_settings())
    with store.session() as session:
        events = trail(session, action_id=action)
    if as_json:
        print_json(events)
        return
    print_table(
        f"Action {action}",
        ["when", "what", "who", "detail"],
        [
            (event.at.isoformat(timespec="seconds"), event.kind, event.actor, event.text)
            for event in events
        ],
    )


def undo(
    action: Annotated[int, typer.Argument(help="The number of the executed action.")],
    as_json: bool = Json,  # noqa: FBT001
) -> None:
    """Ask the executor to put back what an executed action changed."""
    from intel_ml.operations.undo import undo as undo_action
    from intel_ml.surfaces.platform import open_store, operator_of
    from intel_ml.surfaces.settings import load_settings

    store = open_store(load_settings())
    with store.session() as session:
        number = undo_action(session, action_id=action, by=operator_of(session, getpass.getuser()))
    if as_json:
        print_json({"action": action, "undone_by": number})
    else:
        say(f"Action {number} puts back what action {action} changed; `intel-ml audit {number}`.")


def _switch(reason: str, *, is_on: bool, as_json: bool) -> None:
    from intel_ml.operations import switches
    from intel_ml.surfaces.platform import open_store, require_enabled
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings()
    require_enabled(settings)
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
