"""A registered model that may not be used: why, what serves in its place, and who is told.

Reads   the registry's answers, and what loading a version raised.
Gives   `usable`, the model or why not; a note in the app to those who can mend it, once a version.
Never   keeps a model from serving: whoever cannot be told now is told later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.core.recommendations import Role
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store
from intel_ml.reporting.notifications import notify

if TYPE_CHECKING:
    from intel_ml.learning.registry import Version

_CHAMPION = "champion"
_LONGEST = 300
#: Who can mend a model.
_MENDERS = (Role.OPERATOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that is registered and not used.

    `serving` is the version in its place; without one, `otherwise` says what is done in the
    meantime. `alias` is what it was asked for by, where it has just one.
    """

    name: str
    version: str
    alias: str | None
    why: str
    serving: str | None
    otherwise: str

    def __str__(self) -> str:
        what = f"{self.name}@{self.alias}" if self.alias else self.name
        keeps = "the one before keeps serving" if self.serving else self.otherwise
        return f"{what} was refused: {self.why} Until that is mended, {keeps}."

    @property
    def title(self) -> str:
        """What the note is called."""
        return f"{self.name} version {self.version} was refused"

    @property
    def message(self) -> str:
        """What is wrong, what serves in the meantime, and what to do."""
        keeps = f"version {self.serving} keeps serving" if self.serving else self.otherwise
        back = ""
        if self.alias == _CHAMPION:
            back = (
                f", or put the champion before it back: "
                f"`intel-ml models rollback {self.name} --reason refused`"
            )
        return (
            f"{self.why} Until that is mended, {keeps}. "
            f"`intel-ml models show {self.name} {self.version}` has all that is known of it. "
            f"Run the training that made it again{back}."
        )


class Loaded(Protocol):
    """What tells one loaded model from another."""

    @property
    def version(self) -> str:
        """Its registered version."""

    @property
    def sha256(self) -> str:
        """The hash of its folder."""


L = TypeVar("L", bound=Loaded)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model is looked for, and what is done where there is none that can be used."""

    name: str
    otherwise: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Checked(Generic[L]):
    """What is to be used of a model, and why a newer version of it is not."""

    model: L | None
    refused: Refused | None = None


def usable(
    before: L | None,
    asked: Asked,
    *,
    find: Callable[[], Version | None],
    load: Callable[[str], L | None],
) -> Checked[L]:
    """Return what is registered now, loading it only where it is not in memory already.

    Where that is broken it is the one before; where the registry is away, that is raised.
    """
    found = find()
    if found is None:
        return Checked(None)
    registered = (found.version, found.tags.get("sha256"))
    if before is not None and (before.version, before.sha256) == registered:
        return Checked(before)
    try:
        return Checked(load(found.version))
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a model does must not end the service
        serving = None if before is None else before.version
        refused = Refused(
            asked.name, found.version, asked.alias, reason_of(error), serving, asked.otherwise
        )
        return Checked(before, refused)


def teller(store: Store) -> Callable[[Refused], None]:
    """Return what tells the operators and admins of every account of a refused version, once."""

    def tell(refused: Refused) -> None:
        with store.session() as session:
            for account in stored.accounts(session):
                notify(
                    session,
                    account_id=account.id,
                    type="system",
                    severity="error",
                    title=refused.title,
                    message=refused.message,
                    key=f"refused {refused.name} {refused.version}",
                    roles=_MENDERS,
                )

    return tell


def reason_of(error: Exception) -> str:
    """Return what was wrong with a model, in a sentence."""
    return error.message if isinstance(error, IntelError) else _told(error)


def _told(error: Exception) -> str:
    return f"A model could not be loaded ({type(error).__name__}: {error})."[:_LONGEST]
