"""Addresses of the Questionnaire OData service, under `/odata/`."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from organizations.questionnaire import service

urlpatterns: list[URLPattern] = [
    re_path(r"^questionnaires/v4/(?P<path>.*)$", service.serve, name="odata-questionnaires"),
]
