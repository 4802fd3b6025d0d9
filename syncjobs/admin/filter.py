"""The sync filter of an entity: the editor, what a change would do, and Save."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from connections.admin.filter_form import FilterForm
from connections.models import Connection, SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs import filter_changes
from syncjobs.admin.page import Pages, may_start, starter
from syncjobs.models import Run


class FilterPages(Pages[Connection]):
    """Adds the filter editor to the admin of connections."""

    def filter_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/filter/<str:name>/",
                wrap(self.filter_view),
                name="connections_connection_filter",
            ),
            path(
                "<uuid:pk>/filter/<str:name>/<uuid:run>/",
                wrap(self.filter_preview),
                name="connections_connection_filter_preview",
            ),
        ]

    def filter_view(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Edit the sync filter of one entity; a change of what is carried is shown first.

        With `?preview=` the editor begins with the filter of that preview.
        """
        connection = self.row(request, pk, change=request.method == "POST")
        entity = _entity(connection, name)
        form = FilterForm(
            request.POST or None, entity=entity, text=_previewed(request, connection, entity)
        )
        if request.method == "POST" and form.is_valid():
            wanted = form.cleaned_data["filter_xml"]
            if _is_shown_first(request, entity, wanted):
                return _start(request, entity, wanted)
            form.save()
            messages.success(request, f"The filter of {entity.label or entity.name} is saved.")
            if "close" not in request.POST:
                return redirect("admin:connections_connection_filter", pk, name)
            return redirect("admin:connections_connection_change", pk)
        return self.page(
            request,
            "admin/connections/filter.html",
            title=f"Edit Filter · {entity.label or entity.name}",
            original=connection,
            connection=connection,
            entity=entity,
            form=form,
            attributes=form.attributes(),
            status=400 if form.errors else 200,
        )

    def filter_preview(self, request: HttpRequest, pk: str, name: str, run: str) -> HttpResponse:
        """Show what a filter would change; POST saves it."""
        connection = self.row(request, pk, change=request.method == "POST")
        entity, made = _entity(connection, name), _preview(connection, run, name)
        if request.method == "POST":
            try:
                filter_changes.save(made)
            except InvalidRequest as error:
                messages.error(request, str(error))
                return redirect(request.path)
            messages.success(request, f"The filter of {entity.label or entity.name} is saved.")
            return redirect("admin:connections_connection_change", pk)
        is_saved = entity.filter_xml == made.options["filter"]
        return self.page(
            request,
            "admin/connections/filter_preview.html",
            title=f"Preview Filter · {entity.label or entity.name}",
            original=connection,
            connection=connection,
            entity=entity,
            run=made,
            found=made.result.get("filter"),
            is_saved=is_saved,
            why_not="" if is_saved else filter_changes.why_not(made),
        )


def _entity(connection: Connection, name: str) -> SyncedEntity:
    try:
        return filter_changes.find(connection, name)
    except InvalidRequest as error:
        raise Http404(str(error)) from error


def _preview(connection: Connection, key: str, name: str) -> Run:
    try:
        found = filter_changes.preview(connection, key)
    except InvalidRequest as error:
        raise Http404(str(error)) from error
    if found.options["entity"] != name:
        raise Http404("The preview is of another entity.")
    return found


def _previewed(request: HttpRequest, connection: Connection, entity: SyncedEntity) -> str | None:
    key = request.GET.get("preview")
    if not key:
        return None
    return str(_preview(connection, key, entity.name).options["filter"])


def _is_shown_first(request: HttpRequest, entity: SyncedEntity, wanted: str) -> bool:
    is_carried = entity.enabled and entity.connection.state == Connection.State.READY
    return is_carried and wanted != entity.filter_xml and may_start(request)


def _start(request: HttpRequest, entity: SyncedEntity, wanted: str) -> HttpResponse:
    user = starter(request)
    run = filter_changes.start(
        entity, wanted, reason="button", user=user, actor=user.get_username()
    )
    address = "admin:connections_connection_filter_preview"
    return redirect(reverse(address, args=(entity.connection_id, entity.name, run.pk)))
