"""Paths of the web service doors."""

from __future__ import annotations

from django.urls import URLPattern, path

from syncjobs.doors.jobs import job
from syncjobs.doors.sync_async import sync_async

urlpatterns: list[URLPattern] = [
    path("rest/v1/sync/<str:client>/SyncAsync", sync_async, name="sync_async"),
    path("rest/v1/sync/<str:client>/jobs/<uuid:run_id>", job, name="job"),
]
