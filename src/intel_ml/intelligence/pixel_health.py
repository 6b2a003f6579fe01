"""Is the pixel telling the truth: funnel rates, match quality, silence.

    rate(step) = events(step) / events(step before)

Reads   event counts of a pixel, its match quality (0 to 10), hours since it last fired.
Gives   `PixelJudgement`: rates, a status, and reasons in words.
Never   calls a pixel healthy that it knows nothing of: that is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from intel_ml.core.recommendations import Reason

#: Meta's own line: below 6 events are hard to match to people.
EMQ_FAIR, EMQ_GOOD = 6.0, 8.0
SILENT_HOURS, QUIET_HOURS = 24.0, 6.0
_MIN_EVENTS = 20
FUNNEL = (
    ("pageview_to_view_content", "PageView", "ViewContent"),
    ("pageview_to_atc", "PageView", "AddToCart"),
    ("view_content_to_atc", "ViewContent", "AddToCart"),
    ("atc_to_checkout", "AddToCart", "InitiateCheckout"),
    ("checkout_to_purchase", "InitiateCheckout", "Purchase"),
    ("atc_to_purchase", "AddToCart", "Purchase"),
    ("pageview_to_purchase", "PageView", "Purchase"),
)


class PixelStatus(StrEnum):
    """What a pixel's numbers mean for those who steer by them."""

    HEALTHY = "healthy"
    WATCH = "watch"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PixelJudgement:
    """Funnel rates as shares, and what is wrong, worst first."""

    status: PixelStatus
    funnel_rates: Mapping[str, float]
    match_quality: str
    issues: tuple[Reason, ...]


def judge(
    events: Mapping[str, float],
    *,
    match_quality: float | None,
    hours_since_fired: float | None,
) -> PixelJudgement:
    """Return what a pixel's counts, match quality and silence say.

    >>> judge(
    ...     {"PageView": 1000, "AddToCart": 100, "Purchase": 20},
    ...     match_quality=8.2,
    ...     hours_since_fired=0.5,
    ... ).funnel_rates["atc_to_purchase"]
    0.2
    """
    broken, watch = [], []
    if hours_since_fired is not None and hours_since_fired >= SILENT_HOURS:
        broken.append(_silence(hours_since_fired, SILENT_HOURS))
    elif hours_since_fired is not None and hours_since_fired >= QUIET_HOURS:
        watch.append(_silence(hours_since_fired, QUIET_HOURS))
    if match_quality is not None and match_quality < EMQ_FAIR:
        watch.append(
            Reason(
                f"Event match quality {match_quality:.1f} of 10 makes conversions hard to match",
                field="event_match_quality",
                observed=match_quality,
                operator="<",
                threshold=EMQ_FAIR,
            )
        )
    for name, before, after in FUNNEL:
        earlier, later = events.get(before), events.get(after)
        if earlier is not None and later is not None and later > earlier >= _MIN_EVENTS:
            text = f"More {after} than {before} events: one of them fires twice, or not at all"
            broken.append(Reason(text, field=name, observed=later, operator=">", threshold=earlier))
    issues = (*broken, *watch)
    knows_nothing = not events and match_quality is None and hours_since_fired is None
    status = PixelStatus.HEALTHY
    if knows_nothing:
        status = PixelStatus.UNKNOWN
    elif issues:
        status = PixelStatus.BROKEN if broken else PixelStatus.WATCH
    return PixelJudgement(status, funnel_rates(events), quality_word(match_quality), issues)


def funnel_rates(events: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each step that takes the next; the unknown and empty are left out."""
    rates = {}
    for name, before, after in FUNNEL:
        earlier, later = events.get(before), events.get(after)
        if earlier is not None and later is not None and earlier > 0:
            rates[name] = later / earlier
    return rates


def quality_word(match_quality: float | None) -> str:
    """Return Meta's match quality as a word.

    >>> quality_word(8.4), quality_word(None)
    ('good', 'unknown')
    """
    if match_quality is None:
        return "unknown"
    if match_quality >= EMQ_GOOD:
        return "good"
    return "fair" if match_quality >= EMQ_FAIR else "poor"


def _silence(hours: float, line: float) -> Reason:
    return Reason(
        f"No event for {hours:.0f} hours",
        field="last_fired_time",
        observed=hours,
        operator=">=",
        threshold=line,
        unit="hours",
    )
