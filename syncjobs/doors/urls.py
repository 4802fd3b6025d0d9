"""Paths of the web services and of the public connect page."""

from __future__ import annotations

from django.urls import URLPattern, path

from syncjobs.doors.client_hook import client_hook
from syncjobs.doors.connect_async import connect_async
from syncjobs.doors.jobs import job
from syncjobs.doors.register import register, register_job
from syncjobs.doors.sync_async import sync_async

urlpatterns: list[URLPattern] = [
    path("Register.aspx", register),
    path("register/", register, name="register"),
    path("register/<str:token>/", register_job, name="register_job"),
    path("hooks/<uuid:connection_id>/<str:secret>", client_hook, name="client_hook"),
    path("rest/v1/sync/<str:client>/ConnectAsync", connect_async, name="connect_async"),
    path("rest/v1/sync/<str:client>/SyncAsync", sync_async, name="sync_async"),
    path("rest/v1/sync/<str:client>/jobs/<uuid:run_id>", job, name="job"),
]
