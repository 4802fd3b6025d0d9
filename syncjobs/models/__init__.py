"""Jobs, runs and their history, links and checkpoints."""

from syncjobs.models.job import SyncJob
from syncjobs.models.link import Checkpoint, Link
from syncjobs.models.run import Run, RunEntity, RunError

__all__ = ["Checkpoint", "Link", "Run", "RunEntity", "RunError", "SyncJob"]
