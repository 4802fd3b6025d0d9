"""Addresses of the OData service, under `/odata/`."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from organizations.odata import service

urlpatterns: list[URLPattern] = [
    re_path(r"^v4/(?P<path>.*)$", service.serve, name="odata"),
]
