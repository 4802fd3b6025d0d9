"""Verify as a run: both sides are read and compared, and what was found is kept per entity."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from connections import registry
from syncjobs import entity_tasks
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import Counts
from syncjobs.engine.verify import Verified, verify
from syncjobs.models import Difference, Run, Verification
from syncjobs.spool import DatabaseSpool
from syncjobs.state import DatabaseState


def carry_out(run: Run, reporter: Reporter) -> list[Verified]:
    """Compare the entities in options["entities"], or all enabled ones; writes no record.

    Raises connector errors, Cancelled and LostLease; what was compared by then is kept.
    """
    connection = run.connection
    rows = entity_tasks.chosen(connection, run.options.get("entities", ()))
    origin = str(connection.pk)
    found = []
    with (
        registry.connector(connection.server, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        told = entity_tasks.told(rows, client, reporter, "NotVerified")
        tasks = [task for task in told if not task.is_tracking]
        keys = {task.name: task.key for task in tasks}
        reporter.run_started([task.name for task in tasks])
        state, spool = DatabaseState(run), DatabaseSpool()
        for verified in verify(server, client, tasks, state, spool, reporter):
            _keep(keys[verified.entity], verified)
            reporter.progress(verified.entity, Counts(unchanged=verified.equal))
            reporter.entity_finished(verified.entity)
            found.append(verified)
    return found


@transaction.atomic
def _keep(entity: int, verified: Verified) -> None:
    verification, _ = Verification.objects.update_or_create(
        entity_id=entity,
        defaults={
            "at": Now(),
            "server": verified.server,
            "client": verified.client,
            "equal": verified.equal,
            "differences": verified.differences,
        },
    )
    verification.listed.all().delete()
    Difference.objects.bulk_create(
        Difference(
            verification=verification,
            kind=difference.kind,
            server_id=difference.server_id,
            client_id=difference.client_id,
            reason=difference.reason,
            fields=[field._asdict() for field in difference.fields],
        )
        for difference in verified.listed
    )
