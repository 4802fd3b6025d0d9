"""The page Resco CRM Sync of one connection: the entities grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connections import registry
from connections.admin import grid
from connections.errors import Refused
from connections.models import Connection, SyncedEntity
from connections.readiness import saving
from organizations.errors import InvalidRequest, NotFound
from syncjobs import held
from syncjobs.admin.page import Pages
from syncjobs.admin.transactions import counted
from syncjobs.models import Run, RunEntity, Verification

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class GridRow:
    """One line of the grid: the entity, its last reading, its counts in the last run, its proof.

    `check` says how the server checks the version of what is pushed; pairs are never changed.
    """

    entity: SyncedEntity
    last_sync: datetime | None
    last: RunEntity | None
    proof: Verification | None
    check: str

    @property
    def rules(self) -> str:
        """Return what is particular about the entity's rules, empty if nothing is."""
        row, told = self.entity, []
        if row.write_mode:
            told.append(row.get_write_mode_display().lower())
        if row.conflict_rule != SyncedEntity.ConflictRule.SERVER:
            told.append(row.get_conflict_rule_display().lower())
        if row.leaving:
            told.append(f"{row.get_leaving_display().lower()} what leaves")
        return ", ".join(told)


class EntitiesPages(Pages[Connection]):
    """Adds the grid to the admin of connections."""

    def grid_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the grid; POST saves the rows that were shown."""
        connection = self.row(request, pk, change=request.method == "POST")
        if request.method == "POST":
            _save(request, connection)
            return redirect(request.get_full_path())
        search = request.GET.get("q", "").strip()
        only = request.GET.get("only", "")
        page = _page(connection, search, only, request.GET.get("p", "1"))
        return self.page(
            request,
            "admin/connections/connection.html",
            title=f"Resco CRM Sync · {connection.name}",
            original=connection,
            connection=connection,
            tab="entities",
            waiting=counted(connection),
            held=held.waiting(connection),
            readiness=saving.latest(connection),
            rows=_rows(connection, page.object_list),
            listed=page,
            search=search,
            only=only,
            counts=_counts(connection),
            runs=connection.runs.all()[:5],
            alerts=connection.alerts.filter(closed=None),
            active=connection.runs.filter(state__in=Run.ACTIVE).first(),
        )


def _save(request: HttpRequest, connection: Connection) -> None:
    try:
        change = grid.save(
            connection,
            shown=request.POST.getlist("shown"),
            enabled=set(request.POST.getlist("enabled")),
            deletion=set(request.POST.getlist("deletion")),
        )
    except InvalidRequest as error:
        messages.error(request, f"Nothing was saved: {error}")
    except NotFound as error:
        messages.error(request, f"Nothing was saved: {error} Run Update Server first.")
    else:
        messages.success(request, str(change))


def _page(connection: Connection, search: str, only: str, number: str) -> Page[SyncedEntity]:
    rows: QuerySet[SyncedEntity] = connection.entities.select_related("checkpoint", "verification")
    if search:
        rows = rows.filter(Q(label__icontains=search) | Q(name__icontains=search))
    if only == "enabled":
        rows = rows.filter(enabled=True)
    return Paginator(rows, PAGE_SIZE).get_page(number)


def _counts(connection: Connection) -> dict[str, int]:
    entities = connection.entities
    return {"all": entities.count(), "enabled": entities.filter(enabled=True).count()}


def _rows(connection: Connection, entities: Iterable[SyncedEntity]) -> list[GridRow]:
    ended = connection.runs.filter(kind=Run.Kind.SYNC).exclude(state__in=Run.ACTIVE)
    last = ended.exclude(options__contains={"dry_run": True}).first()
    counted = {} if last is None else {row.name: row for row in last.entities.all()}
    check = _check(connection)
    return [
        GridRow(
            entity=entity,
            last_sync=entity.checkpoint.completed if hasattr(entity, "checkpoint") else None,
            last=counted.get(entity.name),
            proof=entity.verification if hasattr(entity, "verification") else None,
            check="" if entity.is_intersect or entity.problem else check,
        )
        for entity in entities
    ]


def _check(connection: Connection) -> str:
    try:
        return registry.version_check(connection.server).replace("-", " ")
    except Refused:
        return ""
