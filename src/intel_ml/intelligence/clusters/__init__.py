"""Archetypes: which entities behave alike, in words a media buyer uses.

scaling      signatures to comparable numbers, in each account's own scale
labels       the plan's names, told apart where two groups would share one
archetypes   what was learned: centres, names, limits; assign, table, save, load
kmeans       centres: a sample first, then everything
stability    how many groups the evidence speaks for
fitting      signatures to archetypes
drift        what a new version changed about who belongs where
picture      the scatter in the two most telling features
"""

from intel_ml.intelligence.clusters.archetypes import Archetype, Archetypes
from intel_ml.intelligence.clusters.drift import Drift, drift
from intel_ml.intelligence.clusters.fitting import fit
from intel_ml.intelligence.clusters.picture import figure, support_figure

__all__ = ["Archetype", "Archetypes", "Drift", "drift", "figure", "fit", "support_figure"]

load = Archetypes.load
