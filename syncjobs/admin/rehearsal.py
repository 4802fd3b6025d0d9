"""Make a rehearsal: the form that copies a connection onto a twin of its server's metadata."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections import rehearsal
from connections.errors import ConnectorError
from connections.models import Connection
from connections.rehearsal import AT_ONCE, Rehearsal, Wanted
from organizations.errors import AlreadyExists, OrganizationError
from syncjobs import dispatch
from syncjobs.admin.page import Pages, signed_in
from syncjobs.models import Run

RECORDS = 50


class RehearsalForm(forms.Form):
    """What the rehearsal is called, how large it is, and who may sign in to it."""

    name = forms.CharField(
        label="Twin",
        max_length=33,
        help_text="Its client gets the same name with “-client” behind it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    records = forms.IntegerField(
        label="Records of each entity",
        min_value=0,
        initial=RECORDS,
        help_text=f"At most; {AT_ONCE:,} of all entities together.",
    )
    seed = forms.IntegerField(
        label="Seed", min_value=0, initial=1, help_text="The same seed makes the same records."
    )
    is_whole = forms.BooleanField(
        label="All entities",
        required=False,
        help_text="Take over the metadata of all entities, not only of the enabled ones.",
    )
    email = forms.EmailField(label="Username (email)", max_length=254)
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Of the administrator of both new organizations.",
    )

    def wanted(self, base_url: str) -> Wanted:
        """Return what the valid form asks for."""
        return Wanted(**self.cleaned_data, base_url=base_url, most=AT_ONCE)

    def add_fault(self, element: str, message: str) -> None:
        """Show a fault at its field, or above the form."""
        self.add_error(element if element in self.fields else None, message)


class RehearsalPages(Pages[Connection]):
    """Adds the rehearsal to the admin of connections."""

    def rehearsal_urls(self) -> list[URLPattern]:
        """Return the address of this page."""
        view = self.admin_site.admin_view(self.rehearsal_view)
        return [path("<uuid:pk>/rehearse/", view, name="connections_connection_rehearse")]

    def rehearsal_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the form; POST makes the rehearsal, starts its job and opens the faults."""
        connection = self.row(request, pk)
        if not _may_rehearse(request):
            raise PermissionDenied
        form = RehearsalForm(request.POST or None, initial=_initial(request, connection))
        if request.method == "POST" and form.is_valid():
            made = self._make(request, connection, form)
            if made is not None:
                organization = made.twin.organization
                return redirect("admin:organizations_organization_faults", organization.pk)
        return self.page(
            request,
            "admin/connections/rehearse.html",
            title=f"Make a rehearsal of {connection.name}",
            original=connection,
            connection=connection,
            form=form,
            status=400 if form.errors else 200,
        )

    def _make(
        self, request: HttpRequest, connection: Connection, form: RehearsalForm
    ) -> Rehearsal | None:
        """Return the rehearsal, or None after the fault was put into the form."""
        user = signed_in(request)
        try:
            made = rehearsal.rehearse(connection, form.wanted(request.build_absolute_uri("/")))
        except AlreadyExists as error:
            form.add_fault("name", str(error))
        except OrganizationError as error:
            form.add_fault(getattr(error, "element", ""), str(error))
        except ConnectorError as error:
            form.add_fault("", f"The metadata of {connection.server} cannot be read: {error}")
        else:
            dispatch.start(
                made.connection,
                Run.Kind.CONNECT,
                reason="rehearsal",
                user=user,
                actor=user.get_username(),
            )
            messages.success(request, _told(made))
            return made
        return None


def _may_rehearse(request: HttpRequest) -> bool:
    needed = ("connections.add_connection", "organizations.add_organization", dispatch.PERMISSION)
    return request.user.has_perms(needed)


def _initial(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    return {"name": f"{connection.name[:23]}-rehearsal", "email": signed_in(request).email}


def _told(made: Rehearsal) -> str:
    count = sum(made.twin.counts.values())
    return (
        f"The twin {made.twin.organization} has {count:,} generated records. The connection "
        f"{made.connection.name} is being set up with it: start Sync All there when it is ready, "
        "and switch faults on here."
    )
