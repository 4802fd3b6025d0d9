"""Paths of the JSON API, under /api/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from syncjobs.api.connections import ConnectionViewSet, EntityDetail, EntityList
from syncjobs.api.jobs import SyncJobViewSet
from syncjobs.api.readiness import Readiness
from syncjobs.api.requests import RequestHours
from syncjobs.api.runs import RunViewSet
from syncjobs.api.verification import DifferenceList, VerificationList

router = SimpleRouter()
router.register("connections", ConnectionViewSet, basename="api-connection")
router.register("jobs", SyncJobViewSet, basename="api-job")
router.register("runs", RunViewSet, basename="api-run")

urlpatterns: list[URLPattern | URLResolver] = [
    path("connections/<str:name>/entities/", EntityList.as_view(), name="api-entities"),
    path(
        "connections/<str:name>/entities/<str:entity>/", EntityDetail.as_view(), name="api-entity"
    ),
    path("connections/<str:name>/verification/", VerificationList.as_view(), name="api-proofs"),
    path("connections/<str:name>/differences/", DifferenceList.as_view(), name="api-differences"),
    path("connections/<str:name>/readiness/", Readiness.as_view(), name="api-readiness"),
    path("connections/<str:name>/requests/", RequestHours.as_view(), name="api-requests"),
    path("", include(router.urls)),
]
