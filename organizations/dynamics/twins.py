"""Finding a twin by the name in the address; what is not a twin does not exist here."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse

from organizations.models import Organization


def find_twin(name: str) -> Organization | None:
    """Return the Dynamics twin of that name; None for any other organization, too."""
    return Organization.objects.filter(name=name, kind=Organization.Kind.DYNAMICS_TWIN).first()


def no_twin() -> HttpResponse:
    """Return the one answer for every address that is not a twin's."""
    return JsonResponse({"Message": "Not Found"}, status=404)


def base_url(request: HttpRequest, name: str) -> str:
    """Return the twin's organization URL with a slash at the end."""
    return request.build_absolute_uri(f"/dynamics/{name}/")


def challenge(request: HttpRequest, name: str) -> HttpResponse:
    """Tell where tokens for this twin come from: nowhere but the twin itself."""
    base = base_url(request, name)
    response = HttpResponse(status=401)
    response["WWW-Authenticate"] = (
        f"Bearer authorization_uri={base}oauth2/authorize, resource_id={base}"
    )
    response["REQ_ID"] = str(uuid4())
    return response
