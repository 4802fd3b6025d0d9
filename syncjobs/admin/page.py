"""What our own pages inside the admin have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.admin import ModelAdmin

from syncjobs import dispatch

Row = TypeVar("Row", bound=Model)


class Pages(ModelAdmin[Row]):
    """A model's admin whose detail pages are templates of our own."""

    def page(
        self,
        request: HttpRequest,
        template: str,
        *,
        title: str,
        status: int = 200,
        original: Model | None = None,
        **context: Any,
    ) -> HttpResponse:
        """Render a page with the admin's frame around it; `original` stands in its path."""
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": title,
            "original": original,
            "may_change": self.has_change_permission(request, None),
            "may_start": may_start(request),
            **context,
        }
        return render(request, template, whole, status=status)

    def row(self, request: HttpRequest, pk: object, *, change: bool = False) -> Row:
        """Return the row of an address; raises Http404 or PermissionDenied."""
        found = self.get_object(request, str(pk))
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


def may_start(request: HttpRequest) -> bool:
    """Return whether the administrator may start and cancel runs."""
    return request.user.has_perm(dispatch.PERMISSION)


def starter(request: HttpRequest) -> User:
    """Return the administrator who starts or cancels a run. Raises PermissionDenied."""
    if not may_start(request):
        raise PermissionDenied
    return signed_in(request)
