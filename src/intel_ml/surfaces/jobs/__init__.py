"""Scheduled runs: what is due, who runs it, and what came of it.

schedules   one file of pipelines/ a schedule, and the slots in which it is due
leases      one row a run: whoever holds it runs it, nobody else
notebooks   Papermill: a notebook in a kernel of its own, as one MLflow run
running     one run, from claim to result
scheduler   the loop that runs what is due
"""

from intel_ml.surfaces.jobs.running import Job, JobContext, JobResult, run_job
from intel_ml.surfaces.jobs.scheduler import run_scheduler
from intel_ml.surfaces.jobs.schedules import Schedule, discover

__all__ = ["Job", "JobContext", "JobResult", "Schedule", "discover", "run_job", "run_scheduler"]
