"""What our own pages inside the admin have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.admin import ModelAdmin

Row = TypeVar("Row", bound=Model)


class Pages(ModelAdmin[Row]):
    """A model's admin whose detail pages are templates of our own."""

    def page(
        self, request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
    ) -> HttpResponse:
        """Render a page with the admin's frame around it."""
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": title,
            **context,
        }
        return render(request, template, whole, status=status)

    def row(self, request: HttpRequest, pk: str, *, change: bool = False) -> Row:
        """Return the row of an address; raises Http404 or PermissionDenied."""
        found = self.get_object(request, pk)
        if found is None:
            raise Http404
        allowed = self.has_change_permission if change else self.has_view_permission
        if not allowed(request, found):
            raise PermissionDenied
        return found


def signed_in(request: HttpRequest) -> User:
    """Return the administrator who asks; the admin lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
