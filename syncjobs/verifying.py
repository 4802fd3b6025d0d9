"""Verify as a run: both sides are read and compared, and what was found is kept per entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Now

from connections import registry
from connections.naming.choosing import server_of
from syncjobs import entity_tasks, undone
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import Counts, EntityTask
from syncjobs.engine.verify import Verified, verify
from syncjobs.errors import OverBudget
from syncjobs.models import Difference, Run, Verification
from syncjobs.spool import DatabaseSpool
from syncjobs.state import DatabaseState


@dataclass(slots=True)
class Proofs:
    """What a verification came to: the entities compared, of how many, and why not of all."""

    of: int = 0
    found: list[Verified] = field(default_factory=list)
    stopped: str = ""


def carry_out(run: Run, reporter: Reporter) -> Proofs:
    """Compare the entities in options["entities"], or all enabled ones; writes no record.

    With options["quick"] most records are proved by their versions. Those proved longest ago come
    first, so that a budget that is too small for all gives each its turn. Raises connector
    errors, Cancelled and LostLease; what was compared by then is kept.
    """
    connection = run.connection
    rows = entity_tasks.chosen(connection, run.options.get("entities", ()))
    origin, proofs = str(connection.pk), Proofs()
    with (
        server_of(connection, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        told = entity_tasks.told(rows, client, reporter, "NotVerified")
        tasks = _longest_ago_first([task for task in told if not task.is_tracking])
        keys, proofs.of = {task.name: task.key for task in tasks}, len(tasks)
        reporter.run_started([task.name for task in tasks])
        comparing = verify(
            server,
            client,
            tasks,
            DatabaseState(run),
            DatabaseSpool(),
            reporter,
            quick=bool(run.options.get("quick")),
            budget=run.options.get("budget") or connection.verify_requests,
        )
        try:
            for verified in comparing:
                _keep(keys[verified.entity], verified)
                _report(verified, reporter)
                proofs.found.append(verified)
        except OverBudget as error:
            proofs.stopped = str(error)
        return proofs


def _report(verified: Verified, reporter: Reporter) -> None:
    reporter.progress(verified.entity, Counts(unchanged=verified.equal))
    reporter.entity_finished(verified.entity)


def _longest_ago_first(tasks: Sequence[EntityTask]) -> list[EntityTask]:
    proved = Verification.objects.filter(entity__in=[task.key for task in tasks]).order_by("at")
    place = {key: number for number, key in enumerate(proved.values_list("entity", flat=True), 1)}
    return sorted(tasks, key=lambda task: place.get(task.key, 0))


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
            "read": verified.read,
        },
    )
    verification.listed.all().delete()
    taken_back = undone.reasons(entity, [one.client_id for one in verified.listed])
    Difference.objects.bulk_create(
        Difference(
            verification=verification,
            kind=difference.kind,
            server_id=difference.server_id,
            client_id=difference.client_id,
            reason=taken_back.get(difference.client_id, difference.reason),
            fields=[field._asdict() for field in difference.fields],
        )
        for difference in verified.listed
    )
