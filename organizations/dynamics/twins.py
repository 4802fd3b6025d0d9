"""Finding a twin by the name in the address; what is not a twin does not exist here."""

from __future__ import annotations

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
