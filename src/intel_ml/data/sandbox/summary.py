"""What a world file holds, in a few words and counts.

Reads   a loaded world file.
Gives   a `Summary`: how much there is, and how it differs from a world of defaults.
Never   plays an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from intel_ml.data.sandbox.worldfile import WorldFile


@dataclass(frozen=True, slots=True)
class Summary:
    """What a world holds; `special` names what makes it unlike one with every default."""

    name: str
    description: str
    seed: int
    accounts: int
    campaigns: int
    adsets: int
    ads: int
    currencies: tuple[str, ...]
    kinds: tuple[str, ...]
    special: tuple[str, ...]


def summary_of(file: WorldFile) -> Summary:
    """Return what a world file holds.

    >>> from intel_ml.data.sandbox.worldfile import load_world_file
    >>> summary_of(load_world_file("null")).special
    ('actions have no effect',)
    """
    campaigns = [campaign for account in file.accounts for campaign in account.campaigns]
    adsets = [adset for campaign in campaigns for adset in campaign.adsets]
    return Summary(
        name=file.name,
        description=file.description,
        seed=file.seed,
        accounts=len(file.accounts),
        campaigns=len(campaigns),
        adsets=len(adsets),
        ads=sum(len(adset.ads) for adset in adsets),
        currencies=tuple(sorted({account.currency for account in file.accounts})),
        kinds=tuple(sorted({adset.kind for adset in adsets})),
        special=tuple(_special(file)),
    )


def _special(file: WorldFile) -> list[str]:
    found = [] if file.actions_have_effect else ["actions have no effect"]
    if file.goods != 1:
        found.append(f"goods {file.goods:g} times as dear")
    off: list[str] = []
    on: list[str] = []
    changed: list[str] = []
    for section in fields(WorldFile):
        mine = getattr(file, section.name)
        if not hasattr(mine, "enabled"):
            continue
        usual = type(mine)()
        if mine.enabled != usual.enabled:
            (on if mine.enabled else off).append(section.name)
        elif mine != usual:
            changed.append(section.name)
    named = (("without", off), ("with", on), ("other settings of", changed))
    found += [f"{word} {', '.join(sections)}" for word, sections in named if sections]
    bids = sum(
        adset.bid is not None for a in file.accounts for c in a.campaigns for adset in c.adsets
    )
    return [*found, f"bids on {bids:,} ad sets"] if bids else found
