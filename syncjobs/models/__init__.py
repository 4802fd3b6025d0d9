"""Jobs, runs and their history, links and checkpoints."""

from syncjobs.models.job import SyncJob
from syncjobs.models.link import Checkpoint, LeftBehind, Link
from syncjobs.models.run import Run, RunEntity, RunError
from syncjobs.models.verification import Difference, Verification

__all__ = [
    "Checkpoint",
    "Difference",
    "LeftBehind",
    "Link",
    "Run",
    "RunEntity",
    "RunError",
    "SyncJob",
    "Verification",
]
