"""Who may use the JSON API: signed-in staff, or staff by Basic authentication, as permitted."""

from __future__ import annotations

from typing import TypedDict

from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import BasePermission, DjangoModelPermissions, IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from syncjobs import dispatch

REMEMBERED_SECONDS = 300


class StaffBasicAuthentication(BasicAuthentication):
    """User name and password of a user of this installation."""

    www_authenticate_realm = "Resco CRM Sync"

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[User, None]:
        """Return the user. A verified login is remembered for a few minutes under a keyed digest
        of the password and the stored hash: a hash costs too much to compute for every request."""
        user = User.objects.filter(username=userid, is_active=True).first()
        if user is None:
            return super().authenticate_credentials(userid, password, request)
        proof = salted_hmac("syncjobs.api", f"{user.password}\0{password}").hexdigest()
        if cache.get(f"staff:{proof}"):
            return user, None
        found = super().authenticate_credentials(userid, password, request)
        cache.set(f"staff:{proof}", True, REMEMBERED_SECONDS)  # noqa: FBT003
        return found

    def authenticate_header(self, request: Request) -> str | None:
        """Return the challenge of a 401.

        To a page of ours whose session has ended it must not be Basic: the browser would open
        its own password window in the middle of the page.
        """
        if "Sec-Fetch-Mode" in request.headers:
            return "Session"
        return super().authenticate_header(request)


class StaffBasicScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names it."""

    target_class = StaffBasicAuthentication
    name = "basicAuth"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "basic"}


class ModelPermissions(DjangoModelPermissions):
    """The permissions of the admin; reading needs the view permission too."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }


class MayStartRuns(BasePermission):
    """Starting and cancelling needs the permission to add runs."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user may start and cancel runs."""
        return bool(request.user and request.user.has_perm(dispatch.PERMISSION))


class Pages(LimitOffsetPagination):
    """A hundred rows a page, at most a thousand."""

    default_limit = 100
    max_limit = 1000


class Starter(TypedDict):
    """Who started a run, as `dispatch` takes it."""

    user: User | None
    actor: str


def starter(request: Request) -> Starter:
    """Return who is asking."""
    user = request.user if isinstance(request.user, User) else None
    return Starter(user=user, actor=request.user.get_username())


AUTHENTICATION = (StaffBasicAuthentication, SessionAuthentication)
PERMISSIONS = (IsAdminUser, ModelPermissions)
STARTING = (IsAdminUser, MayStartRuns)
