"""One file a schedule: what runs, with which parameters, when, how long, after what."""
