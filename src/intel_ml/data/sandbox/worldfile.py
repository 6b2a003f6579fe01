"""A world's description: a TOML file, read strictly.

    name, description, seed          what it is
    like = "demo"                    start from a shipped world and lay this file over it
    actions_have_effect = false      writes are shown but change no delivery
    goods = 8.0                      dearer goods: fewer purchases for the same money
    [auction] ... [reach]            settings of a mechanism; `enabled = false` switches it off
    [kinds.winner]                   ranges from which ad sets of a kind draw their traits
    [[accounts]]                     currency, time zone, targets, prices in major units
    [[accounts.campaigns]]           name, adsets = [{ name, kind, budget, ads }]; with a `budget`
                                     of its own a campaign's ad sets have none

Reads   a name of a shipped world, or a path.
Gives   a frozen `WorldFile`.
Never   ignores a key: an unknown one is refused with the nearest that exists.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from intel_ml.core.days import time_zone
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.mechanisms.auction import Auction
from intel_ml.data.sandbox.mechanisms.conversion import Conversion
from intel_ml.data.sandbox.mechanisms.diminishing import Diminishing
from intel_ml.data.sandbox.mechanisms.fatigue import Fatigue
from intel_ml.data.sandbox.mechanisms.lag import LONGEST_HOURS, Lag
from intel_ml.data.sandbox.mechanisms.learning import Learning
from intel_ml.data.sandbox.mechanisms.noise import Noise
from intel_ml.data.sandbox.mechanisms.outside import Outside
from intel_ml.data.sandbox.mechanisms.pacing import Pacing
from intel_ml.data.sandbox.mechanisms.pixel import Pixel
from intel_ml.data.sandbox.mechanisms.reach import Reach

WORLDS = Path(__file__).parent / "worlds"
Range = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of ad set: ranges from which each draws its own traits."""

    cpa_ratio: Range
    ctr_percent: Range = (0.9, 1.8)
    cpm_ratio: Range = (0.85, 1.15)
    eta: Range = (0.1, 0.3)
    audience: Range = (60_000.0, 400_000.0)
    fatigue: Range = (0.02, 0.05)
    exposure: Range = (0.0, 0.5)
    utilisation: Range = (0.92, 1.0)
    days_old: Range = (20.0, 120.0)


@dataclass(frozen=True, slots=True)
class AdSetFile:
    """One ad set; `budget` in major units a day, absent where the campaign holds the budget."""

    name: str
    kind: str
    ads: tuple[str, ...]
    budget: float | None = None
    lifetime: bool = False
    status: str = "ACTIVE"
    days_old: int | None = None
    rejected_ads: tuple[str, ...] = ()
    paused_ads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """One campaign; with a `budget` of its own, its ad sets have none."""

    name: str
    adsets: tuple[AdSetFile, ...]
    objective: str = "OUTCOME_SALES"
    budget: float | None = None
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class AccountFile:
    """One ad account: its money, days and targets, and its market's prices in major units.

    `margin` is what is left of an order's value before advertising: a sale pays from 1 / margin on.
    """

    id: str
    name: str
    currency: str
    time_zone: str
    target_cpa: float
    target_roas: float
    cpm: float
    order_value: float
    campaigns: tuple[CampaignFile, ...]
    margin: float = 0.55
    match_quality: float = 6.5
    min_daily_budget: float = 1.0


@dataclass(frozen=True, slots=True)
class WorldFile:
    """A whole world; each mechanism's section has `enabled = false` to switch it off.

    `goods` multiplies target and order value of every account: dearer goods, fewer purchases for
    the same money.
    """

    name: str
    description: str
    seed: int
    kinds: Mapping[str, Kind]
    accounts: tuple[AccountFile, ...]
    actions_have_effect: bool = True
    goods: float = 1.0
    auction: Auction = field(default_factory=Auction)
    conversion: Conversion = field(default_factory=Conversion)
    diminishing: Diminishing = field(default_factory=Diminishing)
    fatigue: Fatigue = field(default_factory=Fatigue)
    lag: Lag = field(default_factory=Lag)
    learning: Learning = field(default_factory=Learning)
    noise: Noise = field(default_factory=Noise)
    outside: Outside = field(default_factory=Outside)
    pacing: Pacing = field(default_factory=Pacing)
    pixel: Pixel = field(default_factory=Pixel)
    reach: Reach = field(default_factory=Reach)
    digest: str = ""


def load_world_file(name_or_path: str | Path) -> WorldFile:
    """Return the world called so, or described by the file at that path."""
    path = _find(name_or_path)
    text = path.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError(path=path.name, problem=f"not TOML: {error}") from error
    if "like" in raw:
        raw = _inherit(raw, path)
    raw["digest"] = hashlib.sha256(repr(raw).encode()).hexdigest()[:16]
    return check_world_file(_table(WorldFile, raw, path.stem))


def world_names() -> list[str]:
    """Return the names of the worlds that are shipped."""
    return sorted(path.stem for path in WORLDS.glob("*.toml"))


def check_world_file(world: WorldFile) -> WorldFile:
    """Return `world` if its parts fit together."""
    seen: set[str] = set()
    if (
        len(world.lag.delays_hours) != len(world.lag.shares)
        or max(world.lag.delays_hours) > LONGEST_HOURS
    ):
        raise InvalidValueError(
            path="lag.delays_hours", problem="one share for each delay, at most 672 hours"
        )
    for n, account in enumerate(world.accounts):
        where = f"accounts[{n}]"
        currency_offset(account.currency)
        time_zone(account.time_zone)
        if account.id in seen or not account.id.isdigit():
            raise InvalidValueError(
                path=f"{where}.id", problem=f"'{account.id}' must be digits, used once"
            )
        seen.add(account.id)
        for c, campaign in enumerate(account.campaigns):
            for s, adset in enumerate(campaign.adsets):
                _check_adset(world, campaign, adset, f"{where}.campaigns[{c}].adsets[{s}]")
    return world


def _check_adset(world: WorldFile, campaign: CampaignFile, adset: AdSetFile, where: str) -> None:
    if adset.kind not in world.kinds:
        raise UnknownNameError(kind=f"kind at {where}", name=adset.kind, known=world.kinds)
    if (campaign.budget is None) == (adset.budget is None):
        raise InvalidValueError(
            path=f"{where}.budget",
            problem="either the campaign or the ad set has a budget, not both",
        )
    for name in (*adset.rejected_ads, *adset.paused_ads):
        if name not in adset.ads:
            raise UnknownNameError(kind=f"ad at {where}", name=name, known=adset.ads)


def _inherit(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return `raw` laid over the world that it says it is like."""
    parent = tomllib.loads(_find(raw.pop("like")).read_text(encoding="utf-8"))
    if "like" in parent:
        raise InvalidValueError(
            path=f"{path.stem}.like", problem="a world is like one that stands alone"
        )
    for key, value in raw.items():
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        parent[key] = {**parent[key], **value} if both else value
    return parent


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise NotFoundError(f"There is no world file {path.name}.", hint="Check the path.")
        return path
    shipped = WORLDS / f"{name_or_path}.toml"
    if not shipped.is_file():
        raise UnknownNameError(kind="world", name=str(name_or_path), known=world_names())
    return shipped


def _table(cls: type[T], raw: object, where: str) -> T:
    if not isinstance(raw, Mapping):
        raise InvalidValueError(path=where, problem="must be a table")
    hints = get_type_hints(cls)
    for key in raw:
        if key not in hints:
            raise UnknownNameError(kind=f"key at {where}", name=str(key), known=hints)
    values: dict[str, Any] = {}
    for one in fields(cls):  # type: ignore[arg-type]  # every class given here is a dataclass
        if one.name in raw:
            values[one.name] = _value(hints[one.name], raw[one.name], f"{where}.{one.name}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise InvalidValueError(path=f"{where}.{one.name}", problem="is missing")
    return cls(**values)


def _value(kind: Any, raw: object, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(raw, list):
            raise InvalidValueError(path=where, problem="must be a list")
        if inner[-1] is not Ellipsis and len(raw) != len(inner):
            raise InvalidValueError(path=where, problem=f"must have {len(inner)} values")
        return tuple(_value(inner[0], item, f"{where}[{n}]") for n, item in enumerate(raw))
    if origin is Mapping:
        if not isinstance(raw, dict):
            raise InvalidValueError(path=where, problem="must be a table")
        return {key: _value(inner[1], item, f"{where}.{key}") for key, item in raw.items()}
    if inner:  # X | None: TOML has no null, so what is written is an X
        return _value(inner[0], raw, where)
    if hasattr(kind, "__dataclass_fields__"):
        return _table(kind, raw, where)
    return _scalar(kind, raw, where)


def _scalar(kind: type, raw: object, where: str) -> object:
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if type(raw) is not kind:
        raise InvalidValueError(
            path=where, problem=f"must be {kind.__name__}, not {type(raw).__name__}"
        )
    return raw
