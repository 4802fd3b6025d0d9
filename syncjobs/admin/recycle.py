"""The recycle bin of a connection's client: search, restore, and choose what happens then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection
from organizations.models import DeletedRecord
from syncjobs import recycle_bin
from syncjobs.admin.page import Pages, signed_in

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A deleted record and what it was called."""

    row: DeletedRecord
    name: str


class RecyclePages(Pages[Connection]):
    """Adds the client's recycle bin to the admin of connections."""

    def recycle_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, name = self.admin_site.admin_view, "connections_connection_recycle"
        return [
            path("<uuid:pk>/recycle-bin/", wrap(self.recycle_view), name=name),
            path("<uuid:pk>/recycle-bin/choose/", wrap(self.choose), name=f"{name}_choose"),
        ]

    def recycle_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """List deleted client records; POST restores those that were ticked."""
        connection = self.row(request, pk, change=request.method == "POST")
        if request.method == "POST":
            self._restore(request, connection)
            return redirect(request.get_full_path())
        entity, search = request.GET.get("entity", ""), request.GET.get("q", "").strip()
        rows = recycle_bin.deleted_records(connection, entity=entity, search=search)
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
        organization = connection.client.organization
        bin_of = recycle_bin.deleted_records(connection)
        return self.page(
            request,
            "admin/syncjobs/recycle.html",
            title=f"Recycle Bin · {connection.name}",
            original=connection,
            connection=connection,
            is_hosted=organization is not None,
            origin=str(connection.pk),
            listed=page,
            lines=_lines(connection, list(page.object_list)),
            entity=entity,
            search=search,
            entities=bin_of.order_by("entity").values_list("entity", flat=True).distinct(),
            undecided=recycle_bin.undecided(connection),
        )

    def choose(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Keep restored records on the client only, or let the server rule them again."""
        connection = self.row(request, pk, change=True)
        ids = _ids(request)
        act = _CHOICES.get(request.POST.get("choice", ""))
        if act is not None and ids:
            count = act(connection, request, ids)
            messages.success(request, f"{count:,} restored records: your choice is saved.")
        return redirect("admin:connections_connection_recycle", pk)

    def _restore(self, request: HttpRequest, connection: Connection) -> None:
        numbers = [item for item in request.POST.getlist("record") if item.isdecimal()]
        rows = list(recycle_bin.deleted_records(connection).filter(pk__in=numbers))
        if not rows:
            messages.error(request, "Tick the records that are to be restored first.")
            return
        done = recycle_bin.restore(connection, rows, actor=signed_in(request).get_username())
        if done.count:
            messages.success(request, f"Records restored: {done.count:,}.")
        for why in done.failed[:10]:
            messages.error(request, f"Not restored: {why}")


def _lines(connection: Connection, rows: list[DeletedRecord]) -> list[Line]:
    organization = connection.client.organization
    if organization is None:
        return []
    names = recycle_bin.primary_names(organization, [row.entity for row in rows])
    return [Line(row, recycle_bin.name_of(row, names)) for row in rows]


def _ids(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(item) for item in request.POST.getlist("record")]
    except ValueError:
        return []


def _keep(connection: Connection, request: HttpRequest, ids: list[UUID]) -> int:
    by, entity = signed_in(request).get_username(), request.POST.get("entity", "")
    return recycle_bin.keep(connection, entity, ids, by=by)


def _follow(connection: Connection, request: HttpRequest, ids: list[UUID]) -> int:
    return recycle_bin.follow(connection, request.POST.get("entity", ""), ids)


_CHOICES: Mapping[str, Callable[[Connection, HttpRequest, list[UUID]], int]] = {
    "keep": _keep,
    "follow": _follow,
}
