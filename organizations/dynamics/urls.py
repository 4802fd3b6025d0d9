"""Addresses of twins, under `/dynamics/`."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from organizations.dynamics import authority, service

_NAME = r"^(?P<name>[a-z][a-z0-9-]{0,39})"

urlpatterns: list[URLPattern] = [
    re_path(rf"{_NAME}/oauth2/v2\.0/token$", authority.token_v2, name="dynamics-token"),
    re_path(rf"{_NAME}/oauth2/token$", authority.token_v1, name="dynamics-token-v1"),
    re_path(
        rf"{_NAME}/v2\.0/\.well-known/openid-configuration$",
        authority.discovery,
        name="dynamics-discovery",
    ),
    re_path(
        rf"{_NAME}/api/data/v(?P<version>9\.\d)(?:/(?P<path>.*))?$",
        service.serve,
        name="dynamics-api",
    ),
]
