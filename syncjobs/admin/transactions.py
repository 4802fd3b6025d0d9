"""The tab Offline Transactions: the list by status, causes of errors, and one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from connections.models import Connection
from organizations.errors import InvalidRequest, NotFound
from syncjobs import dispatch, handling, instant, recipes
from syncjobs.admin.page import Pages, signed_in, starter
from syncjobs.causes import causes
from syncjobs.engine.values import Side
from syncjobs.errors import LaneBusy
from syncjobs.models import OfflineTransaction, Run
from syncjobs.record_names import record_names

PER_PAGE = 100
MOST_CHANGES_SHOWN = 3
BUSY = (
    "Nothing was changed: changes of this connection are being delivered right now. Wait until "
    "that has ended, or cancel the run, then set them to Archived."
)
_Status = OfflineTransaction.Status
_LIST = "admin:connections_connection_transactions"


class TransactionPages(Pages[Connection]):
    """Adds the tab to the admin of connections."""

    def transactions_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, name = self.admin_site.admin_view, "connections_connection_transaction"
        return [
            path("<uuid:pk>/transactions/", wrap(self.transactions_view), name=f"{name}s"),
            path("<uuid:pk>/deliver/", wrap(self.deliver), name="connections_connection_deliver"),
            path(
                "<uuid:pk>/transactions/cause/",
                wrap(self.follow_recipe),
                name=f"{name}_cause",
            ),
            path("<uuid:pk>/transactions/<int:number>/", wrap(self.transaction_view), name=name),
        ]

    def deliver(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start a run that only carries the client's changes to the server."""
        connection = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:connections_connection_transactions", pk)
        user = starter(request)
        run = dispatch.start(
            connection, Run.Kind.DELIVER, reason="button", user=user, actor=user.get_username()
        )
        return redirect("admin:syncjobs_run_change", run.pk)

    def transactions_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the list; POST carries out a button on the rows that were ticked."""
        connection = self.row(request, pk)
        if request.method == "POST":
            _act(request, connection)
            return redirect(request.get_full_path())
        status, search = request.GET.get("status", ""), request.GET.get("q", "").strip()
        rows = handling.matching(
            handling.of_connection(connection),
            status=status if status in set(_Status) else "",
            search=search,
            cause=request.GET.get("cause", ""),
        )
        page = _page_of(request, rows)
        return self.page(
            request,
            "admin/syncjobs/transactions.html",
            title=f"Resco CRM Sync · {connection.name}",
            original=connection,
            connection=connection,
            tab="transactions",
            views=_views(connection),
            waiting=counted(connection),
            status_shown=status,
            search=search,
            listed=page,
            names=record_names(connection, page.object_list),
            most=MOST_CHANGES_SHOWN,
            causes=_causes(connection) if status in ("", _Status.ERROR) else [],
            may_handle=request.user.has_perm(handling.PERMISSION),
        )

    def transaction_view(self, request: HttpRequest, pk: str, number: int) -> HttpResponse:
        """Show one transaction; POST decides its conflict, or sets it to Pending or Archived."""
        connection = self.row(request, pk)
        row = handling.of_connection(connection).filter(pk=number).first()
        if row is None:
            raise Http404
        if request.method == "POST":
            _act(request, connection, row)
            return redirect(request.get_full_path())
        return self.page(
            request,
            "admin/syncjobs/transaction.html",
            title=f"{row.get_action_display()} {row.entity.label or row.entity.name}",
            original=connection,
            connection=connection,
            row=row,
            name=record_names(connection, [row]).get(row.pk, ""),
            changes=sorted((row.changes or {}).items()),
            conflict=_side_by_side(row),
            events=row.events.select_related("run"),
            may_handle=request.user.has_perm(handling.PERMISSION),
        )

    def follow_recipe(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Do what the button of a cause says."""
        connection = self.row(request, pk)
        address = f"{reverse(_LIST, args=[pk])}?status={_Status.ERROR}"
        if request.method != "POST":
            return redirect(address)
        actor = _handler(request)
        try:
            cause = recipes.found(
                connection, request.POST.get("cause", ""), request.POST.get("entity", "")
            )
            side = request.POST.get("side", "")
            count = recipes.follow(
                connection,
                cause,
                request.POST.get("step", ""),
                side=Side(side) if side in set(Side) else None,
                actor=actor,
            )
        except (InvalidRequest, NotFound) as error:
            messages.error(request, f"Nothing was changed: {error}")
        else:
            messages.success(request, _told(count, "set to Pending"))
            instant.wake(connection.pk)
        return redirect(address)


def _page_of(request: HttpRequest, rows: QuerySet[OfflineTransaction]) -> Page[OfflineTransaction]:
    newest_first = rows.order_by("-first_version", "-pk")
    return Paginator(newest_first, PER_PAGE).get_page(request.GET.get("p"))


def counted(connection: Connection) -> dict[str, int]:
    """Return how many transactions there are of each status."""
    rows = OfflineTransaction.objects.filter(connection=connection).order_by()
    counts = dict(rows.values_list("status").annotate(count=Count("pk")))
    return {status: counts.get(status, 0) for status in _Status.values}


def _views(connection: Connection) -> list[tuple[str, str, int]]:
    counts = counted(connection)
    named = [(value, label, counts[value]) for value, label in _Status.choices]
    return [("", "All", sum(counts.values())), *named]


def _causes(connection: Connection) -> list[dict[str, Any]]:
    return [{"cause": one, "recipe": recipes.recipe(connection, one)} for one in causes(connection)]


def _side_by_side(row: OfflineTransaction) -> Mapping[str, Any] | None:
    """Return what the page of a conflict shows, None if there is nothing to decide."""
    if not row.conflict or row.status != _Status.ERROR:
        return None
    base, server, client = (row.conflict.get(side, {}) for side in ("base", "server", "client"))
    client_version, server_version = handling.versions_of(row)
    return {
        "rows": [
            (name, base.get(name), server.get(name), client.get(name))
            for name in handling.columns_of(row)
        ],
        "server_gone": not server,
        "client_gone": row.action == OfflineTransaction.Action.DELETE,
        "seen": f"{client_version}:{server_version}",
    }


def _act(
    request: HttpRequest, connection: Connection, row: OfflineTransaction | None = None
) -> None:
    """Carry out what was pressed, and say what came of it."""
    actor = _handler(request)
    ticked = (
        [row.pk] if row else [int(text) for text in request.POST.getlist("id") if text.isdecimal()]
    )
    steps: Mapping[str, Callable[[], str]] = {
        "pending": lambda: _told(
            handling.set_pending(connection, ticked, actor=actor), "set to Pending"
        ),
        "archived": lambda: _told(
            handling.set_archived(connection, ticked, actor=actor), "set to Archived"
        ),
        "all": lambda: _told(handling.set_all_pending(connection, actor=actor), "set to Pending"),
        "decide": lambda: _decided(request, row, actor),
    }
    step = steps.get(request.POST.get("do", ""))
    try:
        if step is not None:
            messages.success(request, step())
    except LaneBusy:
        messages.error(request, BUSY)
    except InvalidRequest as error:
        messages.error(request, f"Nothing was changed: {error}")
    else:
        instant.wake(connection.pk)


def _decided(request: HttpRequest, row: OfflineTransaction | None, actor: str) -> str:
    if row is None:
        raise InvalidRequest("Open a transaction to decide its conflict.", "do")
    given = request.POST.get("all", "")
    choices = {
        name: given or request.POST.get(f"choice_{name}", "") for name in handling.columns_of(row)
    }
    client, _, server = request.POST.get("seen", "").partition(":")
    if not (client.isdecimal() and server.isdecimal()):
        raise InvalidRequest("The versions that were looked at are missing.", "seen")
    handling.decide(row, choices, seen=(int(client), int(server)), actor=actor)
    return "Decided. The record is delivered as you chose."


def _handler(request: HttpRequest) -> str:
    """Return who handles transactions. Raises PermissionDenied."""
    if not request.user.has_perm(handling.PERMISSION):
        raise PermissionDenied
    return signed_in(request).get_username()


def _told(count: int, what: str) -> str:
    if not count:
        return "Nothing was changed: none of them can be."
    return f"{count:,} transaction{'s' * (count != 1)} {what}."
