"""A world's description: a TOML file, read strictly.

    name, description, seed          what it is
    like = "demo"                    start from another world and lay this file over it
    actions_have_effect = false      writes are shown but change no delivery
    goods = 8.0                      dearer goods: fewer purchases for the same money
    [auction] ... [season]           settings of a mechanism; `enabled = false` switches it off
    [kinds.winner]                   ranges from which ad sets of a kind draw their traits
    [[accounts]]                     currency, time zone, targets, prices in major units
    [[accounts.campaigns]]           name, adsets = [{ name, kind, budget, ads }]; with a `budget`
                                     of its own a campaign's ad sets have none
    [[generate]]                     many accounts alike, by counts and weights

`docs/sandbox.md` lists every key with its unit, default and meaning.

Reads   a name of a shipped world, or a path.
Gives   a frozen `WorldFile`.
Never   ignores a key: an unknown one is refused with the nearest that exists.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from intel_ml.core.days import time_zone
from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.accountfile import AccountFile, AdSetFile, CampaignFile, Generate, Kind
from intel_ml.data.sandbox.generation import generated_accounts
from intel_ml.data.sandbox.mechanisms.auction import Auction
from intel_ml.data.sandbox.mechanisms.bidding import BID_CAP, COST_CAP, Bidding
from intel_ml.data.sandbox.mechanisms.conversion import Conversion
from intel_ml.data.sandbox.mechanisms.diminishing import Diminishing
from intel_ml.data.sandbox.mechanisms.drift import Drift
from intel_ml.data.sandbox.mechanisms.fatigue import Fatigue
from intel_ml.data.sandbox.mechanisms.lag import LONGEST_HOURS, Lag
from intel_ml.data.sandbox.mechanisms.learning import Learning
from intel_ml.data.sandbox.mechanisms.noise import Noise
from intel_ml.data.sandbox.mechanisms.outside import Outside
from intel_ml.data.sandbox.mechanisms.pacing import Pacing
from intel_ml.data.sandbox.mechanisms.pixel import Pixel
from intel_ml.data.sandbox.mechanisms.reach import Reach
from intel_ml.data.sandbox.mechanisms.season import Season, month_day
from intel_ml.data.sandbox.mechanisms.shocks import Shocks
from intel_ml.data.sandbox.plausible import check_numbers
from intel_ml.data.sandbox.typed_tables import read_table

WORLDS = Path(__file__).parent / "worlds"
_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED")
_STRATEGIES = (BID_CAP, COST_CAP)
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class WorldFile:
    """A whole world; each mechanism's section has `enabled = false` to switch it off.

    `goods` multiplies target and order value of every account: dearer goods, fewer purchases for
    the same money. After loading, `accounts` holds the generated ones too.
    """

    name: str
    description: str
    seed: int
    kinds: Mapping[str, Kind]
    accounts: tuple[AccountFile, ...] = ()
    generate: tuple[Generate, ...] = ()
    actions_have_effect: bool = True
    goods: float = 1.0
    auction: Auction = field(default_factory=Auction)
    bidding: Bidding = field(default_factory=Bidding)
    conversion: Conversion = field(default_factory=Conversion)
    diminishing: Diminishing = field(default_factory=Diminishing)
    drift: Drift = field(default_factory=Drift)
    fatigue: Fatigue = field(default_factory=Fatigue)
    lag: Lag = field(default_factory=Lag)
    learning: Learning = field(default_factory=Learning)
    noise: Noise = field(default_factory=Noise)
    outside: Outside = field(default_factory=Outside)
    pacing: Pacing = field(default_factory=Pacing)
    pixel: Pixel = field(default_factory=Pixel)
    reach: Reach = field(default_factory=Reach)
    season: Season = field(default_factory=Season)
    shocks: Shocks = field(default_factory=Shocks)
    digest: str = ""


def load_world_file(name_or_path: str | Path) -> WorldFile:
    """Return the world called so, or described by the file at that path."""
    path = _find(name_or_path)
    raw = _parsed(path)
    if "like" in raw:
        raw = _inherit(raw, path)
    if "digest" in raw:
        raise InvalidValueError(path="digest", problem="is computed from the file; remove it")
    raw["digest"] = hashlib.sha256(repr(raw).encode()).hexdigest()[:16]
    world = read_table(WorldFile, raw, "")
    check_numbers(world, "")
    _check_names(world)
    made = tuple(generated_accounts(world.generate, seed=world.seed))
    return check_world_file(replace(world, accounts=(*world.accounts, *made)))


def world_names() -> list[str]:
    """Return the names of the worlds that are shipped."""
    return sorted(path.stem for path in WORLDS.glob("*.toml"))


def check_world_file(world: WorldFile) -> WorldFile:
    """Return `world` if its parts fit together."""
    _check_lag(world.lag)
    if not world.accounts:
        raise InvalidValueError(
            path="accounts", problem="there is none: add [[accounts]] or [[generate]]"
        )
    seen: set[str] = set()
    for n, account in enumerate(world.accounts):
        where = f"accounts[{n}]"
        _check_place(account, where)
        if account.id in seen or not account.id.isdigit():
            raise InvalidValueError(
                path=f"{where}.id", problem=f"'{account.id}' must be digits, used once"
            )
        seen.add(account.id)
        for c, campaign in enumerate(account.campaigns):
            inside = f"{where}.campaigns[{c}]"
            _one_of(campaign.status, _STATUSES, f"status at {inside}")
            if not campaign.adsets:
                raise InvalidValueError(path=f"{inside}.adsets", problem="must hold an ad set")
            for s, adset in enumerate(campaign.adsets):
                _check_adset(world, account, (campaign, adset), f"{inside}.adsets[{s}]")
    return world


def _check_place(account: AccountFile, where: str) -> None:
    """Check currency, time zone, and that prices are worth a coin of that currency."""
    try:
        currency_offset(account.currency)
        time_zone(account.time_zone)
    except InvalidValueError as error:
        raise InvalidValueError(
            path=f"{where}.{error.path}", problem=error.problem, hint=error.hint
        ) from error
    least = 1 / currency_offset(account.currency)
    for name in ("cpm", "target_cpa", "order_value"):
        if getattr(account, name) < least:
            problem = f"must be at least {least:g}, the smallest coin of {account.currency}"
            raise InvalidValueError(path=f"{where}.{name}", problem=problem)


def _check_names(world: WorldFile) -> None:
    """Check the names and dates that a section gives, before anything is made of them."""
    for n, season in enumerate(world.season.named):
        for key in ("first", "last"):
            try:
                month_day(getattr(season, key))
            except ValueError as error:
                raise InvalidValueError(
                    path=f"season.named[{n}].{key}", problem='must be a day as "MM-DD"'
                ) from error
    for n, section in enumerate(world.generate):
        where = f"generate[{n}]"
        for kind in section.kinds:
            _one_of(kind, world.kinds, f"kind at {where}.kinds")
        if sum(section.kinds.values()) <= 0:
            raise InvalidValueError(path=f"{where}.kinds", problem="needs a weight above 0")
        if not section.markets:
            raise InvalidValueError(path=f"{where}.markets", problem="must hold a market")


def _check_lag(lag: Lag) -> None:
    delays = lag.delays_hours
    if len(delays) != len(lag.shares) or not delays or max(delays) > LONGEST_HOURS:
        raise InvalidValueError(
            path="lag.delays_hours",
            problem=f"one delay for each of lag.shares, at most {LONGEST_HOURS} hours",
        )
    if delays[0] != 0 or list(delays) != sorted(set(delays)):
        raise InvalidValueError(
            path="lag.delays_hours", problem="must begin with 0 and grow: the first is no delay"
        )
    if not math.isclose(sum(lag.shares), 1.0, abs_tol=_CLOSE):
        raise InvalidValueError(
            path="lag.shares", problem=f"must add up to 1, but add up to {sum(lag.shares):g}"
        )


def _check_adset(
    world: WorldFile, account: AccountFile, pair: tuple[CampaignFile, AdSetFile], where: str
) -> None:
    campaign, adset = pair
    _one_of(adset.kind, world.kinds, f"kind at {where}")
    _one_of(adset.status, _STATUSES, f"status at {where}")
    _one_of(adset.bid_strategy, _STRATEGIES, f"bid_strategy at {where}")
    if (campaign.budget is None) == (adset.budget is None):
        raise InvalidValueError(
            path=f"{where}.budget",
            problem="either the campaign or the ad set has a budget, not both",
        )
    if adset.lifetime and adset.budget is None:
        raise InvalidValueError(
            path=f"{where}.lifetime", problem="needs a budget of the ad set's own"
        )
    for budget, at in ((campaign.budget, where.rpartition(".")[0]), (adset.budget, where)):
        if budget is not None and budget < account.min_daily_budget:
            least = f"at least min_daily_budget, {account.min_daily_budget:g}"
            raise InvalidValueError(
                path=f"{at}.budget", problem=f"is {budget:g}, but must be {least}"
            )
    if not adset.ads:
        raise InvalidValueError(path=f"{where}.ads", problem="must name an ad")
    for name in (*adset.rejected_ads, *adset.paused_ads):
        _one_of(name, adset.ads, f"ad at {where}")


def _one_of(name: str, known: Mapping[str, object] | tuple[str, ...], kind: str) -> None:
    if name not in known:
        raise UnknownNameError(kind=kind, name=name, known=known)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidValueError(path=path.name, problem="is not text in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError(path=path.name, problem=f"not TOML: {error}") from error


def _inherit(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return `raw` laid over the world that it says it is like."""
    like = raw.pop("like")
    if not isinstance(like, str):
        raise InvalidValueError(path="like", problem="must be the name of a world or a path")
    parent = _parsed(_find(path.parent / like if like.endswith(".toml") else like))
    if "like" in parent:
        raise InvalidValueError(path="like", problem="a world is like one that stands alone")
    for key, value in raw.items():
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        parent[key] = {**parent[key], **value} if both else value
    return parent


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise InvalidValueError(path=str(path), problem="there is no such world file")
        return path
    name = str(name_or_path)
    if name in world_names():
        return WORLDS / f"{name}.toml"
    if path.exists() or path.with_name(f"{path.name or 'x'}.toml").is_file():
        raise InvalidValueError(path=name, problem='a world file is given with its ".toml"')
    raise UnknownNameError(kind="world", name=name, known=world_names())
