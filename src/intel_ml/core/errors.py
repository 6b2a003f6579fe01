"""The one tree of errors: each keeps its facts and says what a person can do.

IntelError
├── WrongUseError                 exit 2, HTTP 4xx: the caller can fix the request
│   ├── UnknownNameError          a name that does not exist, with the nearest that does
│   ├── InvalidValueError         a value that cannot be what it claims to be, with its path
│   ├── MissingColumnsError       a file lacks columns; nothing was loaded
│   └── NotAllowedError           the role does not carry this right
├── NotFoundError                 HTTP 404; also what belongs to another account
├── ConflictError                 HTTP 409: someone else was first
├── NotEnoughDataError            too little was observed for the number asked for
├── UnavailableError              a service we need does not answer
├── ModelRefusedError             a model's file, hash or numbers are not what was registered
└── PlatformError                 Meta answered with an error
    ├── TransientPlatformError    worth another try
    ├── ThrottledError            wait first
    ├── TokenError                stop, a person must renew the token
    ├── RefusedChangeError        the change itself is not acceptable
    └── AmbiguousResultError      the change may have happened: read before trying again
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class IntelError(Exception):
    """Anything this program raises on purpose."""

    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class WrongUseError(IntelError):
    """The caller asked for something that cannot be; the message says what to change."""


class UnknownNameError(WrongUseError):
    """A name that does not exist, with the nearest one that does.

    >>> str(UnknownNameError(kind="field", name="spnd", known=["spend", "clicks"]))
    "Unknown field 'spnd'. Did you mean 'spend'?"
    """

    def __init__(self, *, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = nearest_name(name, self.known)
        hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(self.known[:12])}."
        super().__init__(f"Unknown {kind} '{name}'.", hint=hint)
        self.nearest = near


class InvalidValueError(WrongUseError):
    """A value that cannot be what its place asks for."""

    def __init__(self, *, path: str, problem: str, hint: str = "") -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}.", hint=hint)


class MissingColumnsError(WrongUseError):
    """A file lacks columns that the mapping names; nothing was loaded."""

    def __init__(self, *, missing: Sequence[str], present: Sequence[str]) -> None:
        self.missing, self.present = list(missing), list(present)
        super().__init__(
            f"Missing columns: {', '.join(missing)}. The file has: {', '.join(present)}.",
            hint="Nothing was loaded. Correct the mapping or the file.",
        )


class NotAllowedError(WrongUseError):
    """The person or token has no right to do this."""


class NotFoundError(IntelError):
    """There is no such thing, or none that the caller may see."""


class ConflictError(IntelError):
    """Someone or something else was first."""


class NotEnoughDataError(IntelError):
    """Too little was observed for the number asked for to mean anything."""

    hint = "Widen the window, or wait for more delivery."

    def __init__(self, *, quantity: str, needed: int, seen: int) -> None:
        self.quantity, self.needed, self.seen = quantity, needed, seen
        super().__init__(f"{quantity}: need {needed}, saw {seen}.")


class UnavailableError(IntelError):
    """A service that is needed does not answer."""

    def __init__(self, *, service: str, check: str) -> None:
        self.service = service
        super().__init__(f"{service} does not answer.", hint=check)


class ModelRefusedError(IntelError):
    """A stored model is not what was registered, or not usable; the one before keeps serving."""


class PlatformError(IntelError):
    """Meta answered with an error body or with something that is not an answer."""

    def __init__(  # noqa: PLR0913  # each part of Meta's error body has its own field
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code, self.subcode, self.status = code, subcode, status
        self.retry_after_s = retry_after_s


class TransientPlatformError(PlatformError):
    """A passing fault: worth a few more tries."""


class ThrottledError(PlatformError):
    """A limit of the platform is reached: wait before anything else."""


class TokenError(PlatformError):
    """The access token is invalid or lacks a permission."""

    hint = "Create a new token in Meta's Business settings and update the setting."


class RefusedChangeError(PlatformError):
    """The platform will not take this change however often it is sent."""


class AmbiguousResultError(PlatformError):
    """The change may or may not have been applied; read the entity before anything else."""


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, None when nothing is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
