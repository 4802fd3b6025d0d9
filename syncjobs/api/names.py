"""Names of attributes that differ between server and client."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection, SyncedEntity
from connections.naming import editing
from organizations.errors import InvalidRequest
from syncjobs.api import access
from syncjobs.api.filters import MayChangeConnections

_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
_ENTITY = OpenApiParameter("entity", str, OpenApiParameter.PATH, description="logical name")


class EntityNamesSerializer(serializers.ModelSerializer[SyncedEntity]):
    """An entity with attributes that have other names on the client."""

    entity = serializers.CharField(source="name", read_only=True)
    names = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="server attribute → client's"
    )

    class Meta:
        """All read-only."""

        model = SyncedEntity
        fields = ("entity", "label", "names")
        read_only_fields = fields


class NamesSerializer(serializers.Serializer[Any]):
    """The names of one entity, and those suggested: server attribute → client attribute."""

    entity = serializers.CharField(read_only=True)
    names = serializers.DictField(child=serializers.CharField())
    suggestion = serializers.DictField(child=serializers.CharField(), read_only=True)


@extend_schema(parameters=[_CLIENT])
class NamesList(generics.ListAPIView[SyncedEntity]):
    """Entities that have attributes with other names on the client."""

    queryset = SyncedEntity.objects.filter(names__isnull=False).exclude(names={})
    serializer_class = EntityNamesSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> Any:
        """Return those of the connection in the path."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        return super().get_queryset().filter(connection=connection)


@extend_schema(parameters=[_CLIENT, _ENTITY])
class NamesDetail(APIView):
    """The names of one entity."""

    authentication_classes = access.AUTHENTICATION
    queryset = Connection.objects.all()

    def get_permissions(self) -> list[BasePermission]:
        """Changing them needs the permission to change connections."""
        found: list[BasePermission] = [permission() for permission in access.PERMISSIONS]
        return [*found, MayChangeConnections()] if self.request.method != "GET" else found

    @extend_schema(responses=NamesSerializer)
    def get(self, request: Request, name: str, entity: str) -> Response:
        """Return names and suggestion."""
        return _answer(self._row(name, entity))

    @extend_schema(request=NamesSerializer, responses=NamesSerializer)
    def put(self, request: Request, name: str, entity: str) -> Response:
        """Keep `names` instead of those there are; Update Server then takes them over."""
        row = self._row(name, entity)
        wanted = NamesSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            editing.save(row, wanted.validated_data["names"])
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        return _answer(row)

    @extend_schema(responses={200: NamesSerializer})
    def delete(self, request: Request, name: str, entity: str) -> Response:
        """Go back to the names that are suggested."""
        row = self._row(name, entity)
        try:
            editing.reset(row)
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        return _answer(row)

    def _row(self, name: str, entity: str) -> SyncedEntity:
        try:
            return editing.find(get_object_or_404(self.queryset, name=name), entity)
        except InvalidRequest as error:
            raise NotFound(str(error)) from error


def _answer(row: SyncedEntity) -> Response:
    found = editing.look(row)
    return Response(
        {"entity": row.name, "names": dict(found.pairs), "suggestion": dict(found.suggestion)}
    )
