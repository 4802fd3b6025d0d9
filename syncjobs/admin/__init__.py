"""The admin's pages of connections, runs and jobs."""

from syncjobs.admin.alert import AlertAdmin
from syncjobs.admin.connection import ConnectionAdmin
from syncjobs.admin.job import SyncJobAdmin
from syncjobs.admin.run import RunAdmin

__all__ = ["AlertAdmin", "ConnectionAdmin", "RunAdmin", "SyncJobAdmin"]
