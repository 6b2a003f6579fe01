"""A small world to simulate, of one account or two: something to win, something to lose."""

from __future__ import annotations

from pathlib import Path

NAME = "two shops"
ONE = """
name = "two shops"
description = "Two accounts in two currencies, with something to win and something to lose."
seed = 3

[kinds.good]
cpa_ratio = [0.4, 0.6]

[kinds.bad]
cpa_ratio = [2.5, 3.5]

[[accounts]]
id = "7"
name = "Small Shop"
currency = "USD"
time_zone = "America/New_York"
target_cpa = 20
target_roas = 2.5
cpm = 12
order_value = 46

[[accounts.campaigns]]
name = "Always On"
adsets = [
  { name = "Lookalike", kind = "good", budget = 200, ads = ["A", "B"] },
  { name = "Broad", kind = "bad", budget = 120, ads = ["A", "B"] },
  { name = "Old", kind = "bad", budget = 120, ads = ["A"], status = "PAUSED" },
]

[[accounts.campaigns]]
name = "Advantage"
budget = 150
adsets = [
  { name = "One", kind = "good", ads = ["A"] },
  { name = "Two", kind = "bad", ads = ["A"] },
]

"""
TWO = (
    ONE
    + """
[[accounts]]
id = "8"
name = "Kumo"
currency = "JPY"
time_zone = "Asia/Tokyo"
target_cpa = 3000
target_roas = 2.5
cpm = 1500
order_value = 7000
min_daily_budget = 100

[[accounts.campaigns]]
name = "Winter"
adsets = [
  { name = "Near", kind = "good", budget = 20000, ads = ["A", "B"] },
  { name = "Far", kind = "bad", budget = 15000, ads = ["A"] },
]
"""
)


def written(folder: Path, world: str = TWO) -> Path:
    """Return the file that says what the world is."""
    path = folder / "two-shops.toml"
    path.write_text(world, encoding="utf-8")
    return path
