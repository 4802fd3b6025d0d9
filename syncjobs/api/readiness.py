"""The newest readiness report of a connection, and a new check."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from connections.models import Connection, ReadinessReport
from connections.readiness import saving
from syncjobs import dispatch
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer
from syncjobs.models import Run


class ReadinessSerializer(serializers.ModelSerializer[ReadinessReport]):
    """One report; `document` holds the findings of the server and of each entity."""

    class Meta:
        """All read-only."""

        model = ReadinessReport
        fields = ("created", "colour", "document")
        read_only_fields = fields


class NeverCheckedSerializer(serializers.Serializer[Any]):
    """Why there is no report."""

    detail = serializers.CharField()


@extend_schema(
    parameters=[
        OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
    ]
)
class Readiness(generics.GenericAPIView[ReadinessReport]):
    """Whether the server of a connection is ready."""

    queryset = ReadinessReport.objects.all()
    serializer_class = ReadinessSerializer
    authentication_classes = access.AUTHENTICATION

    def get_permissions(self) -> list[BasePermission]:
        """Looking needs the view permission, checking the permission to start runs."""
        needed = access.STARTING if self.request.method == "POST" else access.PERMISSIONS
        return [permission() for permission in needed]

    @extend_schema(responses={200: ReadinessSerializer, 404: NeverCheckedSerializer})
    def get(self, request: Request, name: str) -> Response:
        """Return the newest report; 404 if the server was never checked."""
        found = saving.latest(get_object_or_404(Connection, name=name))
        if found is None:
            raise NotFound("The server was never checked. POST here to check it.")
        return Response(ReadinessSerializer(found).data)

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Start a check in the background."""
        connection = get_object_or_404(Connection, name=name)
        run = dispatch.start(
            connection, Run.Kind.READINESS, reason="API", **access.starter(request)
        )
        return Response(RunSerializer(run).data, status=202)
