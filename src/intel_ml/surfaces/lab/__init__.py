"""The notebooks' door to the running platform.

door         `connect()` and `Lab`: frames, models, runs
frames       what the store holds as pandas frames, each with its data dictionary
shelf        the feature catalogue, searchable
models       training, comparing, registering
worlds       the sandbox's worlds, with their oracle
pictures     small figures for conclusions
progress     what a long call says while it works
"""

from intel_ml.surfaces.lab.door import Lab, connect

__all__ = ["Lab", "connect"]
