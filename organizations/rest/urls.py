"""Addresses of the REST services, under `/rest/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from organizations.rest import service

urlpatterns: list[URLPattern] = [
    re_path(r"^data/(?P<path>.*)$", service.data, name="rest-data"),
    re_path(r"^metadata/(?P<path>.*)$", service.metadata, name="rest-metadata"),
]
