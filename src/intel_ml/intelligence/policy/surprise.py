"""Whether the world changed: what was foretold stopped coming true.

    u_t = min(e_t^2 / mean of e^2 so far, 9)
    s_t = max(0, s_t-1 + u_t - 1.5),   alarm when s_t > threshold

Page's cumulative sum (1954, Biometrika 41) of squared errors. Who learns errs less and less, so u
is at most 1 in the mean while the world stays as it is, and s keeps returning to zero; the bound of
nine keeps one wild reward from being a new world. The first errors only set the scale.

Reads   errors of forecasts, in the order they came.
Gives   `Surprise`: says when to forget, and begins anew then.
Never   looks at more than the size of an error, so the unit of rewards doesn't matter.
"""

from __future__ import annotations

from dataclasses import dataclass

_FIRST = 30
_WILD = 9.0
_USUAL = 1.5


@dataclass(slots=True)
class Surprise:
    """How many errors there were, their mean square, and what they add up to."""

    threshold: float
    count: int = 0
    mean: float = 0.0
    total: float = 0.0

    def after(self, error: float) -> bool:
        """Return whether this error is one too many.

        >>> steady = Surprise(threshold=60.0)
        >>> any(steady.after(0.1) for _ in range(10_000))
        False
        >>> [steady.after(1.0) for _ in range(9)].index(True)
        8
        """
        square = error**2
        if self.count >= _FIRST and self.mean > 0:
            self.total = max(0.0, self.total + min(square / self.mean, _WILD) - _USUAL)
            if self.total > self.threshold:
                self.count, self.mean, self.total = 0, 0.0, 0.0
                return True
        self.count += 1
        self.mean += (square - self.mean) / self.count
        return False
