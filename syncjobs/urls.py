"""Paths of the doors and of the JSON API."""

from __future__ import annotations

from django.urls import URLResolver, include, path

urlpatterns: list[URLResolver] = [
    path("", include("syncjobs.doors.urls")),
    path("api/", include("syncjobs.api.urls")),
]
