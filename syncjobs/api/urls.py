"""Paths of the JSON API, under /api/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from syncjobs.api.alerts import AlertList
from syncjobs.api.connections import ConnectionViewSet, EntityDetail, EntityList
from syncjobs.api.explain import Explain
from syncjobs.api.filters import FilterPreview
from syncjobs.api.held import HeldDecision, HeldList
from syncjobs.api.import_file import ImportFile
from syncjobs.api.jobs import SyncJobViewSet
from syncjobs.api.names import NamesDetail, NamesList
from syncjobs.api.plans import Plan
from syncjobs.api.readiness import Readiness
from syncjobs.api.recycle import RecycleBin, RecycleChoice
from syncjobs.api.requests import RequestHours
from syncjobs.api.runs import RunViewSet
from syncjobs.api.transactions import (
    CauseList,
    Deliver,
    RetryAll,
    TransactionDetail,
    TransactionList,
)
from syncjobs.api.undo import Undo
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
    path(
        "connections/<str:name>/entities/<str:entity>/filter-preview/",
        FilterPreview.as_view(),
        name="api-filter-preview",
    ),
    path("connections/<str:name>/verification/", VerificationList.as_view(), name="api-proofs"),
    path("connections/<str:name>/differences/", DifferenceList.as_view(), name="api-differences"),
    path("connections/<str:name>/readiness/", Readiness.as_view(), name="api-readiness"),
    path("connections/<str:name>/import-file/", ImportFile.as_view(), name="api-import-file"),
    path("connections/<str:name>/deliver/", Deliver.as_view(), name="api-deliver"),
    path("connections/<str:name>/transactions/", TransactionList.as_view(), name="api-queue"),
    path(
        "connections/<str:name>/transactions/retry-all/", RetryAll.as_view(), name="api-retry-all"
    ),
    path("connections/<str:name>/transactions/causes/", CauseList.as_view(), name="api-causes"),
    path(
        "connections/<str:name>/transactions/<int:pk>/",
        TransactionDetail.as_view(),
        name="api-transaction",
    ),
    path("connections/<str:name>/held/", HeldList.as_view(), name="api-held"),
    path("connections/<str:name>/held/<int:pk>/", HeldDecision.as_view(), name="api-held-decide"),
    path("connections/<str:name>/recycle-bin/", RecycleBin.as_view(), name="api-recycle-bin"),
    path(
        "connections/<str:name>/recycle-bin/choose/",
        RecycleChoice.as_view(),
        name="api-recycle-choose",
    ),
    path("connections/<str:name>/names/", NamesList.as_view(), name="api-names"),
    path(
        "connections/<str:name>/names/<str:entity>/",
        NamesDetail.as_view(),
        name="api-entity-names",
    ),
    path("connections/<str:name>/requests/", RequestHours.as_view(), name="api-requests"),
    path("runs/<uuid:pk>/plan/", Plan.as_view(), name="api-run-plan"),
    path("connections/<str:name>/explain/", Explain.as_view(), name="api-explain"),
    path("runs/<uuid:pk>/undo/", Undo.as_view(), name="api-run-undo"),
    path("alerts/", AlertList.as_view(), name="api-alerts"),
    path("", include(router.urls)),
]
