"""What every unit felt on a day: seasons, prices of the auction, holidays.

    y(u, d) = unit(u) + day(d) + noise,   fitted to the cells where nothing was done

Two-way means by alternating (Gauss-Seidel) least squares. Taken off outcomes and pre-periods before
treated and held-out units are compared (`rewards.effect`), days no longer add noise when the two
groups were triggered on different days. Cells after a trigger never enter, whether treated or held
out, so an effect is never taken off as a shock.

Reads   a panel (units, days) and which of its cells are clean.
Gives   the effect of each day, mean zero; 0 for a day without clean cells.
Never   learns a day from units that were treated on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS, _CLOSE = 100, 1e-9


def day_effects(panel: NDArray[np.float64], *, clean: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far each day lies from the usual, (days,); NaN in the panel is unknown.

    >>> rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> day_effects(rows, clean=np.ones((2, 2), dtype=bool)).tolist()
    [-0.5, 0.5]
    """
    known = clean & np.isfinite(panel)
    values = np.where(known, panel, 0.0)
    by_unit, by_day = np.maximum(known.sum(axis=1), 1), np.maximum(known.sum(axis=0), 1)
    days = np.zeros(panel.shape[1])
    for _ in range(_ROUNDS):
        units = (values - known * days).sum(axis=1) / by_unit
        found = (values - known * units[:, None]).sum(axis=0) / by_day
        found = np.where(known.any(axis=0), found - found[known.any(axis=0)].mean(), 0.0)
        moved = float(np.abs(found - days).max())
        days = found
        if moved < _CLOSE:
            break
    return days
