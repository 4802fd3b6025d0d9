"""The two pages of Sign in with Microsoft: off to the authority, and back again."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.addresses import target_of
from connections.admin import signing_in
from connections.connect.request import server_url
from connections.connectors.authority import UnconfirmedAuthority, normal
from connections.errors import ConnectorError
from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs.admin.page import Pages

FORM = "admin:connections_connection_add"


class SignInPages(Pages[Connection]):
    """Part of the connection's admin."""

    def sign_in_urls(self) -> list[URLPattern]:
        """Return the two addresses; the second is the one to register with the application."""
        wrap, name = self.admin_site.admin_view, "connections_connection_sign_in"
        return [
            path("sign-in/", wrap(self.sign_in), name=name),
            path("sign-in/callback/", wrap(self.sign_in_callback), name=f"{name}_callback"),
        ]

    def sign_in(self, request: HttpRequest) -> HttpResponse:
        """Begin: show where the administrator is sent to, which the page then opens."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect(FORM)
        signing_in.remember(request, request.POST)
        try:
            url = server_url(request.POST.get("url", ""))
            authority = normal(request.POST.get("authority", ""))
            address = signing_in.begin(request, url, authority)
            where, server = target_of(address), target_of(url)
        except UnconfirmedAuthority as error:
            known = {**signing_in.remembered(request), "authority": error.authority}
            signing_in.remember(request, known)
            messages.warning(request, f"{error} Pressing Sign in with Microsoft again confirms it.")
            return _form()
        except (ConnectorError, InvalidRequest) as error:
            messages.error(request, str(error))
            return _form()
        return self.page(
            request,
            "admin/connections/sign_in.html",
            title="Sign in with Microsoft",
            address=address,
            where=where,
            server=server,
        )

    def sign_in_callback(self, request: HttpRequest) -> HttpResponse:
        """End: the code is redeemed, and the form goes on with who signed in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            signing_in.finish(request)
        except ConnectorError as error:
            messages.error(request, str(error))
        return _form()


def _form() -> HttpResponse:
    answer = redirect(FORM)
    answer["Location"] += "?sign_in=1"
    return answer
