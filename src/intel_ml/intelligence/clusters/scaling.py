"""Signatures to comparable numbers: without skew, money in the account's own scale, standardised.

    t = log(1 + x / median(x))  where a feature is skewed and not negative, else x
    z = (t - median(t)) / (IQR(t) / 1.349)

Reads   a frame of signatures, one row an entity.
Gives   `Scaling` and its matrix; what is unknown stays NaN here.
Never   invents a feature nobody could compute: those are listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

#: The plan's signature (§10.2), the ratio to target, and what every export has.
SIGNATURE_FEATURES: tuple[str, ...] = (
    "avg_cpa_ratio",
    "avg_cpa",
    "cpa_volatility",
    "conversion_rate",
    "fatigue_rate",
    "optimal_frequency",
    "best_hour_concentration",
    "budget_efficiency",
    "ctr",
    "cpc",
)
#: Amounts of money: comparable between accounts only as multiples of the account's median.
MONEY = frozenset({"avg_cpa", "cpc"})
ACCOUNT = "ad_account_id"

_MIN_KNOWN_SHARE = 0.5
_QUARTILES = (25, 50, 75)
_IQR_OF_NORMAL = 1.349
_SKEWED = 2.0
#: What lies farther from zero than this lies here.
_FARTHEST = 1e15


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a signature becomes a vector; learned once."""

    features: tuple[str, ...]
    skewed: tuple[bool, ...]
    bend: NDArray[np.float64]
    median: NDArray[np.float64]
    scale: NDArray[np.float64]
    accounts: Mapping[str, Mapping[str, float]]

    def matrix(self, signatures: pd.DataFrame) -> NDArray[np.float64]:
        """Return (n, features) standardised values, NaN where unknown."""
        raw = np.column_stack(
            [comparable(signatures, name, self.accounts) for name in self.features]
        )
        return (self._bent(raw) - self.median) / self.scale

    def _bent(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        bent = np.where(np.array(self.skewed), np.log1p(np.maximum(raw, 0.0) / self.bend), raw)
        return np.asarray(bent, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Usable:
    """Which features can tell entities apart, and why the others can't."""

    features: tuple[str, ...]
    unavailable: tuple[str, ...]
    set_aside: tuple[str, ...]


def usable(signatures: pd.DataFrame) -> Usable:
    """Return the features worth clustering by.

    `unavailable` were never known; `set_aside` are known for under half of the entities, the same
    for all, or said by another.
    """
    features, unavailable, aside = [], [], []
    accounts = account_medians(signatures)
    for name in SIGNATURE_FEATURES:
        values = comparable(signatures, name, accounts)
        known = values[np.isfinite(values)]
        if not len(known):
            unavailable.append(name)
        elif (
            len(known) < _MIN_KNOWN_SHARE * len(values)
            or float(np.ptp(known)) <= 0
            or (name == "avg_cpa" and "avg_cpa_ratio" in features)
        ):
            aside.append(name)
        else:
            features.append(name)
    return Usable(tuple(features), tuple(unavailable), tuple(aside))


def learned(signatures: pd.DataFrame, features: tuple[str, ...]) -> Scaling:
    """Return the scaling that these signatures call for."""
    accounts = account_medians(signatures)
    raw = np.column_stack([comparable(signatures, name, accounts) for name in features])
    skewed, bend = [], np.ones(len(features))
    for at in range(len(features)):
        known = raw[np.isfinite(raw[:, at]), at]
        middle = float(np.median(known))
        skewed.append(bool(known.min() >= 0 and middle > 0 and is_skewed(known)))
        bend[at] = middle if skewed[-1] else 1.0
    plain = Scaling(
        features=features,
        skewed=tuple(skewed),
        bend=bend,
        median=np.zeros(len(features)),
        scale=np.ones(len(features)),
        accounts=accounts,
    )
    bent = plain.matrix(signatures)
    low, middle_of, high = np.nanpercentile(bent, _QUARTILES, axis=0)
    spread = (high - low) / _IQR_OF_NORMAL
    spread = np.where(spread > 0, spread, np.nanstd(bent, axis=0))
    return Scaling(
        features=features,
        skewed=plain.skewed,
        bend=bend,
        median=middle_of,
        scale=np.where(spread > 0, spread, 1.0),
        accounts=accounts,
    )


def comparable(
    signatures: pd.DataFrame, name: str, accounts: Mapping[str, Mapping[str, float]]
) -> NDArray[np.float64]:
    """Return a feature as numbers; money as multiples of the account's median."""
    values = column(signatures, name)
    if name not in MONEY:
        return values
    own = [accounts.get(account, {}).get(name, np.nan) for account in account_names(signatures)]
    return values / np.array(own, dtype=np.float64)


def column(signatures: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as float64, NaN where unknown, infinite or absent."""
    if name not in signatures:
        return np.full(len(signatures), np.nan)
    try:
        values = signatures[name].astype("float64").to_numpy(copy=True)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(path=name, problem="holds words where numbers belong") from error
    values[~np.isfinite(values)] = np.nan
    return np.asarray(np.clip(values, -_FARTHEST, _FARTHEST), dtype=np.float64)


def account_names(signatures: pd.DataFrame) -> list[str]:
    """Return each row's account, "" where the frame has none."""
    if ACCOUNT not in signatures:
        return [""] * len(signatures)
    return [str(name) for name in signatures[ACCOUNT]]


def is_skewed(known: NDArray[np.float64]) -> bool:
    """Return whether the upper half reaches much farther from the median than the lower."""
    low, middle, high = np.percentile(known, (5, 50, 95))
    return bool(high - middle > _SKEWED * max(middle - low, 1e-12))


def account_medians(signatures: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return what each account usually pays, by feature of money; nothing where it never paid."""
    medians: dict[str, dict[str, float]] = {}
    names = np.array(account_names(signatures), dtype=object)
    for account in dict.fromkeys(names.tolist()):
        of_account = names == account
        own: dict[str, float] = {}
        for name in sorted(MONEY):
            values = column(signatures, name)[of_account]
            known = values[np.isfinite(values) & (values > 0)]
            if len(known):
                own[name] = float(np.median(known))
        medians[account] = own
    return medians


def to_save(scaling: Scaling) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what goes into json and into npz."""
    words = {
        "features": list(scaling.features),
        "skewed": list(scaling.skewed),
        "accounts": {account: dict(own) for account, own in scaling.accounts.items()},
    }
    return words, {"bend": scaling.bend, "median": scaling.median, "scale": scaling.scale}


def loaded(words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Scaling:
    """Return what `to_save` gave away."""
    return Scaling(
        features=tuple(words["features"]),
        skewed=tuple(words["skewed"]),
        bend=arrays["bend"],
        median=arrays["median"],
        scale=arrays["scale"],
        accounts=words["accounts"],
    )
