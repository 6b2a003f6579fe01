"""Archetypes: which entities behave alike, in words a media buyer uses.

scaling      signatures to comparable numbers, in each account's own scale
labels       the plan's names, told apart where two groups would share one
archetypes   what was learned: centres, names, limits; assign, table, save, load
fitting      k-means: a sample first, then everything
picture      the scatter in the two most telling features
"""

from intel_ml.intelligence.clusters.archetypes import Archetype, Archetypes
from intel_ml.intelligence.clusters.fitting import fit
from intel_ml.intelligence.clusters.picture import figure

__all__ = ["Archetype", "Archetypes", "figure", "fit"]

load = Archetypes.load
