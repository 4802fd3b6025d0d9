"""The metadata that a client lacks, as a file to import there."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, serializers
from rest_framework.request import Request

from connections.models import Connection
from organizations.errors import NotFound
from syncjobs import import_files
from syncjobs.api import access


class NothingToImportSerializer(serializers.Serializer[Any]):
    """Why there is no file."""

    detail = serializers.CharField()


class ImportFile(generics.GenericAPIView[Connection]):
    """The import file of the last Update Server."""

    queryset = Connection.objects.all()
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS

    @extend_schema(
        operation_id="connections_import_file",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
        ],
        responses={
            (200, import_files.MEDIA_TYPE): OpenApiTypes.BINARY,
            404: NothingToImportSerializer,
        },
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return it; 404 where the client lacks nothing, or takes metadata from us."""
        connection = get_object_or_404(Connection, name=name)
        try:
            made = import_files.latest(connection)
        except NotFound as error:
            raise exceptions.NotFound(
                f"'{name}' has nothing to import by hand. Update Server finds out what it lacks."
            ) from error
        response = HttpResponse(made.content, content_type=import_files.MEDIA_TYPE)
        response["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return response
