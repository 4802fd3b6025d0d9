"""Jobs, runs and their history, links, checkpoints and offline transactions."""

from syncjobs.models.alert import Alert, QueueLength
from syncjobs.models.held import HeldDeletions
from syncjobs.models.image import Image
from syncjobs.models.job import SyncJob
from syncjobs.models.link import Checkpoint, LeftBehind, Link
from syncjobs.models.plan import PlanChange, PlanPage
from syncjobs.models.run import Run, RunEntity, RunError
from syncjobs.models.transaction import ClientCheckpoint, OfflineTransaction, TransactionEvent
from syncjobs.models.verification import Difference, Verification

__all__ = [
    "Alert",
    "Checkpoint",
    "ClientCheckpoint",
    "Difference",
    "HeldDeletions",
    "Image",
    "LeftBehind",
    "Link",
    "OfflineTransaction",
    "PlanChange",
    "PlanPage",
    "QueueLength",
    "Run",
    "RunEntity",
    "RunError",
    "SyncJob",
    "TransactionEvent",
    "Verification",
]
