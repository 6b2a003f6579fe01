"""From scores to a floored pmf, and from a key to the arm that is drawn.

    pmf(a) = floor + (1 - k floor) softmax(score / temperature)(a)   for k allowed arms, else 0

Reads   scores (n, 6), a mask (n, 6), one key a row.
Gives   `Choices`.
Never   draws by a generator: sha256 of the key decides, a choice can be reproduced years later.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError
from intel_ml.features.states import States
from intel_ml.intelligence.policy.protocol import MAINTAIN, Choices, Policy
from intel_ml.intelligence.policy.settings import Drawing

#: Among equals, leave things as they are.
_TIE = 1e-9
_UNIT = 2.0**-53


def mask_of(allowed: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Return the mask, or say what is wrong with it."""
    mask = np.asarray(allowed, dtype=np.bool_)
    if mask.shape != (rows, len(ARMS)):
        raise InvalidValueError(
            path="allowed", problem=f"shape {mask.shape} is not ({rows}, {len(ARMS)})"
        )
    if not mask.any(axis=1).all():
        raise InvalidValueError(
            path="allowed", problem="a row allows no arm", hint="Allow at least `maintain`."
        )
    return mask


def merged(
    states: States,
    parts: Iterable[tuple[list[int], Policy]],
    *,
    allowed: NDArray[np.bool_],
    keys: Sequence[str],
) -> Choices:
    """Return the choices of several policies, each asked about the rows that are its own."""
    mask = mask_of(allowed, len(states))
    if len(keys) != len(states):
        raise InvalidValueError(path="keys", problem=f"{len(keys)} for {len(states)} rows")
    found = Choices(
        pmf=np.zeros(mask.shape),
        arms=np.zeros(len(mask), dtype=np.intp),
        greedy=np.zeros(len(mask), dtype=np.intp),
        confidence=np.zeros(len(mask)),
    )
    for rows, policy in parts:
        mine = [keys[row] for row in rows]
        part = policy.choose(states.take(rows), allowed=mask[rows], keys=mine)
        for name in ("pmf", "arms", "greedy", "confidence"):
            getattr(found, name)[rows] = getattr(part, name)
    return found


def best(scores: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the highest allowed score of each row; `maintain` among equals."""
    open_ = np.where(mask, scores, -np.inf)
    open_[:, MAINTAIN] += _TIE
    return np.asarray(open_.argmax(axis=1), dtype=np.intp)


def pmf_of(
    scores: NDArray[np.float64], mask: NDArray[np.bool_], how: Drawing
) -> NDArray[np.float64]:
    """Return the floored softmax over allowed arms.

    >>> every = np.ones((1, 6), dtype=bool)
    >>> pmf_of(np.zeros((1, 6)), every, Drawing(floor=0.05)).round(3).tolist()
    [[0.167, 0.167, 0.167, 0.167, 0.167, 0.167]]
    """
    open_ = np.where(mask, scores, -np.inf)
    soft = np.exp((open_ - open_.max(axis=1, keepdims=True)) / how.temperature)
    return floored(soft / soft.sum(axis=1, keepdims=True), mask, how.floor)


def draw(pmf: NDArray[np.float64], keys: Sequence[str]) -> NDArray[np.intp]:
    """Return one arm a row; the key alone decides which.

    >>> draw(np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]), ["any"]).tolist()
    [1]
    """
    if len(keys) != len(pmf):
        raise InvalidValueError(path="keys", problem=f"{len(keys)} keys for {len(pmf)} rows")
    points = np.array([unit(key) for key in keys])
    steps = pmf.cumsum(axis=1)
    arms = (steps <= (points * steps[:, -1])[:, None]).sum(axis=1)
    return np.asarray(np.minimum(arms, pmf.shape[1] - 1), dtype=np.intp)


def unit(key: str) -> float:
    """Return a number in [0, 1) that the key decides."""
    digest = hashlib.sha256(key.encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * _UNIT


def one_allowed(allowed: NDArray[np.bool_]) -> list[bool]:
    """Return the mask of a single row, or say what is wrong with it."""
    if getattr(allowed, "shape", None) == (1, len(ARMS)) and allowed.dtype == np.bool_:
        mask: list[bool] = allowed.tolist()[0]
        if True in mask:
            return mask
    checked: list[bool] = mask_of(allowed, 1).tolist()[0]
    return checked


def one_best(scores: Sequence[float], mask: Sequence[bool]) -> int:
    """Return what `best` does for a single row."""
    found, highest = -1, -math.inf
    for arm, (score, is_open) in enumerate(zip(scores, mask, strict=True)):
        value = score + _TIE if arm == MAINTAIN else score
        if is_open and (found < 0 or value > highest):
            found, highest = arm, value
    return found


def one_pmf(scores: Sequence[float], mask: Sequence[bool], how: Drawing) -> list[float]:
    """Return what `pmf_of` does for a single row."""
    highest = max(score for score, is_open in zip(scores, mask, strict=True) if is_open)
    soft = [
        math.exp((score - highest) / how.temperature) if is_open else 0.0
        for score, is_open in zip(scores, mask, strict=True)
    ]
    scale = (1.0 - how.floor * sum(mask)) / sum(soft)
    return [
        how.floor + scale * part if is_open else 0.0
        for part, is_open in zip(soft, mask, strict=True)
    ]


def one_choice(pmf: list[float], key: str, *, greedy: int, confidence: float) -> Choices:
    """Return what `choices` does for a single row."""
    point, total, last = unit(key), sum(pmf), len(pmf) - 1
    point *= total
    arm, below = 0, pmf[0]
    while below <= point and arm < last:
        arm += 1
        below += pmf[arm]
    return Choices(
        pmf=np.array([pmf]),
        arms=np.array([arm], dtype=np.intp),
        greedy=np.array([greedy], dtype=np.intp),
        confidence=np.array([confidence]),
    )


def floored(
    shares: NDArray[np.float64], mask: NDArray[np.bool_], floor: float
) -> NDArray[np.float64]:
    """Return probabilities with the floor of each allowed arm mixed in."""
    spare = 1.0 - floor * mask.sum(axis=1, keepdims=True)
    return np.where(mask, floor + spare * shares, 0.0)


def choices(
    pmf: NDArray[np.float64],
    keys: Sequence[str],
    *,
    greedy: NDArray[np.intp],
    confidence: NDArray[np.float64],
) -> Choices:
    """Return the drawn arms beside everything that is known about them."""
    return Choices(pmf=pmf, arms=draw(pmf, keys), greedy=greedy, confidence=confidence)
