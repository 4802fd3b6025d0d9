"""Jobs: the schedules of connections, and Run Now."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs import periodic
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer, SyncJobSerializer
from syncjobs.models import SyncJob


class SyncJobViewSet(viewsets.ModelViewSet[SyncJob]):
    """Jobs of all connections."""

    queryset = SyncJob.objects.select_related("connection")
    serializer_class = SyncJobSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    @extend_schema(request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], url_path="run", permission_classes=access.STARTING)
    def run_now(self, request: Request, pk: str) -> Response:
        """Start what the job does, whether or not it is active."""
        run = periodic.run_now(self.get_object(), **access.starter(request))
        return Response(RunSerializer(run).data, status=202)
