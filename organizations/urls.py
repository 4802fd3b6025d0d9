"""Addresses of hosted organizations' services."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("dynamics/", include("organizations.dynamics.urls")),
    path("odata/", include("organizations.odata.urls")),
    path("odata/", include("organizations.questionnaire.urls")),
    path("rest/v1/", include("organizations.rest.urls")),
]
