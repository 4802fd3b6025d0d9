"""The twin's token authority: `/oauth2/v2.0/token`, its v1 form, and discovery.

Answers and errors have the shape of Entra ID (dataverse.md 1.1); the error numbers are those
clients look for, taken from general knowledge.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from organizations import authentication
from organizations.authentication import AuthenticationFailed, Throttled
from organizations.dynamics import tokens
from organizations.dynamics.twins import base_url, find_twin, no_twin
from organizations.models import Application, Member, Organization

GRANTS = ("client_credentials", "password")


class _Refusal(Exception):
    """A token request that is refused: OAuth error, AADSTS number, HTTP status."""

    def __init__(self, error: str, number: int, text: str, status: int = 400) -> None:
        self.error, self.number, self.status = error, number, status
        self.text = f"AADSTS{number}: {text}"
        super().__init__(self.text)


@csrf_exempt
@require_POST
def token_v2(request: HttpRequest, name: str) -> HttpResponse:
    """Issue a token by the v2.0 protocol: `scope` names the organization."""
    return _token(request, name, is_v1=False)


@csrf_exempt
@require_POST
def token_v1(request: HttpRequest, name: str) -> HttpResponse:
    """Issue a token by the v1 protocol: `resource` names the organization."""
    return _token(request, name, is_v1=True)


@require_GET
def discovery(request: HttpRequest, name: str) -> HttpResponse:
    """Tell clients such as msal where the token endpoint is."""
    if find_twin(name) is None:
        return no_twin()
    base = base_url(request, name)
    return JsonResponse(
        {
            "token_endpoint": f"{base}oauth2/v2.0/token",
            "authorization_endpoint": f"{base}oauth2/v2.0/authorize",
            "issuer": f"{base}v2.0",
            "grant_types_supported": list(GRANTS),
        }
    )


def _token(request: HttpRequest, name: str, *, is_v1: bool) -> HttpResponse:
    organization = find_twin(name)
    if organization is None:
        return no_twin()
    try:
        user = _authenticate(request, organization, is_v1=is_v1)
    except _Refusal as refusal:
        return _refused(refusal)
    except Throttled as throttled:
        response = _refused(_Refusal("temporarily_unavailable", 90055, str(throttled), status=429))
        response["Retry-After"] = str(throttled.after)
        return response
    return _private(JsonResponse(_granted(organization, user, request.POST, is_v1=is_v1)))


def _granted(
    organization: Organization, user: Member | Application, form: Mapping[str, str], *, is_v1: bool
) -> dict[str, Any]:
    seconds = tokens.LIFETIME_SECONDS
    granted: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": tokens.issue(organization, user),
    }
    if not is_v1:
        return granted
    now = int(datetime.now(UTC).timestamp())
    return granted | {
        "expires_in": str(seconds),
        "ext_expires_in": str(seconds),
        "expires_on": str(now + seconds),
        "not_before": str(now),
        "resource": form.get("resource", ""),
    }


def _authenticate(
    request: HttpRequest, organization: Organization, *, is_v1: bool
) -> Member | Application:
    form = request.POST
    grant = _required(form, "grant_type")
    if grant not in GRANTS:
        raise _Refusal(
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant}'.",
        )
    _check_audience(form, grant, is_v1=is_v1)
    address = request.META["REMOTE_ADDR"]
    if grant == "client_credentials":
        return _application(request, organization, address)
    return _member(form, organization, address)


def _check_audience(form: Mapping[str, str], grant: str, *, is_v1: bool) -> None:
    if is_v1:
        _required(form, "resource")
        return
    scope = _required(form, "scope")
    if grant == "client_credentials" and not scope.endswith("/.default"):
        raise _Refusal(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier.",
        )


def _application(request: HttpRequest, organization: Organization, address: str) -> Application:
    client_id, secret = _client(request)
    try:
        return authentication.application(organization, client_id, secret, address)
    except AuthenticationFailed as error:
        raise _Refusal(
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to the app.",
            status=401,
        ) from error


def _client(request: HttpRequest) -> tuple[str, str]:
    """Return id and secret from the form, or from a Basic header as some clients send them."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = b64decode(encoded, validate=True).decode()
        except (ValueError, UnicodeDecodeError) as error:
            raise _Refusal(
                "invalid_client", 7000216, "The Authorization header cannot be read.", status=401
            ) from error
        client_id, _, secret = decoded.partition(":")
        return unquote_plus(client_id), unquote_plus(secret)
    return _required(request.POST, "client_id"), _required(request.POST, "client_secret")


def _member(form: Mapping[str, str], organization: Organization, address: str) -> Member:
    name, password = _required(form, "username"), _required(form, "password")
    try:
        return authentication.member(organization.name, name, password, address)
    except AuthenticationFailed as error:
        raise _Refusal(
            "invalid_grant",
            50126,
            "Error validating credentials due to invalid username or password.",
        ) from error


def _required(form: Mapping[str, str], name: str) -> str:
    if value := form.get(name):
        return value
    raise _Refusal(
        "invalid_request",
        900144,
        f"The request body must contain the following parameter: '{name}'.",
    )


def _refused(refusal: _Refusal) -> HttpResponse:
    body = {
        "error": refusal.error,
        "error_description": refusal.text,
        "error_codes": [refusal.number],
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": str(uuid4()),
        "correlation_id": str(uuid4()),
    }
    return _private(JsonResponse(body, status=refusal.status))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, no-cache"
    response["Pragma"] = "no-cache"
    return response
