"""The notebooks' door to the running platform.

door         `connect()` and `Lab`: models, runs
reading      the frames half of `Lab`
frames       what the store holds as pandas frames, each with its data dictionary
shelf        the feature catalogue, searchable
models       cutting a log, comparing, registering
selection    choosing among policies: a table, a picture, a sentence
candidates   a trained policy that waits to be judged
autonomy     the study of what could run by itself
cases        one choice explained, with the most alike past cases
beside       what a policy would have done, beside what was done
standing     whether a policy may be put to use, whether the one in use may stay
challenger   the version that runs beside the champion, and how it stands
effects      what the actions did, against what was left alone
imitation    learning what people would do, and how often that would have been right
worlds       the sandbox's worlds, with their oracle
pictures     small figures for conclusions
progress     what a long call says while it works
"""

from intel_ml.surfaces.lab.door import Lab, connect

__all__ = ["Lab", "connect"]
