"""Connections and their entities; starting Sync All and Update Server."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from connections import filters
from connections.connect import service
from connections.connect.errors import ConnectError
from connections.metadata.agreed import schema_of
from connections.models import Connection, SyncedEntity
from connections.naming.choosing import names_of
from organizations.errors import InvalidRequest, NotFound
from syncjobs import dispatch
from syncjobs.api import access, connecting
from syncjobs.api.serializers import (
    ConnectionSerializer,
    ConnectSerializer,
    RunSerializer,
    StartSyncSerializer,
    StartUpdateSerializer,
    StartVerifySerializer,
    SyncedEntitySerializer,
)
from syncjobs.models import Run

_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")


class ConnectionViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[Connection],
):
    """Connections by the name of their client."""

    queryset = Connection.objects.select_related("server__organization", "client__organization")
    serializer_class = ConnectionSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages
    lookup_field = "name"
    lookup_value_regex = "[a-z][a-z0-9-]*"
    http_method_names = ["get", "head", "options", "patch", "post"]

    @extend_schema(request=ConnectSerializer, responses={202: RunSerializer})
    def create(self, request: Request) -> Response:
        """Connect a client and a server; both logins are proved before anything is saved."""
        if not access.MayStartRuns().has_permission(request, self):
            self.permission_denied(request)
        wanted = ConnectSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            run = connecting.connect(wanted.validated_data, access.starter(request))
        except (InvalidRequest, ConnectError) as error:
            field = connecting.FIELDS.get(error.element, api_settings.NON_FIELD_ERRORS_KEY)
            raise ValidationError({field: [str(error)]}) from error
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(request=StartSyncSerializer, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], permission_classes=access.STARTING)
    def sync(self, request: Request, name: str) -> Response:
        """Start Sync All of the connection, or of some of its entities."""
        wanted = StartSyncSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            run = dispatch.start_sync(
                self.get_object(),
                reason="API",
                **access.starter(request),
                **wanted.validated_data,
            )
        except InvalidRequest as error:
            raise ValidationError({error.element.lower(): [str(error)]}) from error
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(request=StartUpdateSerializer, responses={202: RunSerializer})
    @action(
        detail=True, methods=["post"], url_path="update-server", permission_classes=access.STARTING
    )
    def update_server(self, request: Request, name: str) -> Response:
        """Start Update Server: take over the server's metadata."""
        wanted = StartUpdateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        run = dispatch.start(
            self.get_object(),
            Run.Kind.UPDATE_SERVER,
            reason="API",
            options={"full": True} if wanted.validated_data["full"] else {},
            **access.starter(request),
        )
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(request=StartVerifySerializer, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], permission_classes=access.STARTING)
    def verify(self, request: Request, name: str) -> Response:
        """Start reading and comparing both sides; writes no record."""
        wanted = StartVerifySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            run = dispatch.start_verify(
                self.get_object(),
                reason="API",
                **access.starter(request),
                **wanted.validated_data,
            )
        except InvalidRequest as error:
            raise ValidationError({error.element.lower(): [str(error)]}) from error
        return Response(RunSerializer(run).data, status=202)


class _Entities(generics.GenericAPIView[SyncedEntity]):
    """Rows of the connection named in the path."""

    queryset = SyncedEntity.objects.select_related("checkpoint")
    serializer_class = SyncedEntitySerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS

    def get_queryset(self) -> QuerySet[SyncedEntity]:
        """Return the entities of that connection; 404 if there is no such connection."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        return super().get_queryset().filter(connection=connection)


@extend_schema(parameters=[_CLIENT])
class EntityList(_Entities, generics.ListAPIView[SyncedEntity]):
    """The entities of a connection; `search` looks at name and label."""

    pagination_class = access.Pages
    filter_backends = (SearchFilter,)
    search_fields = ("name", "label")


@extend_schema(parameters=[_CLIENT])
class EntityDetail(_Entities, generics.RetrieveUpdateAPIView[SyncedEntity]):
    """One entity: enable it, switch sync deletion, set its filter."""

    lookup_field = "name"
    lookup_url_kwarg = "entity"
    http_method_names = ["get", "head", "options", "patch"]

    @transaction.atomic
    def perform_update(self, serializer: SyncedEntitySerializer) -> None:  # type: ignore[override]
        """Save what can be carried, and make the table of an entity that was enabled."""
        wanted = serializer.validated_data
        row = serializer.save()
        try:
            if row.enabled and row.problem:
                raise InvalidRequest(row.problem, element="enabled")
            if "filter_xml" in wanted:
                _save_filter(row)
            if "enabled" in wanted and row.enabled:
                service.enable_tables(row.connection)
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        except NotFound as error:
            raise ValidationError({"enabled": [f"{error} Run Update Server first."]}) from error


def _save_filter(row: SyncedEntity) -> None:
    """Keep the filter as we write it. Raises InvalidRequest (element = the field)."""
    try:
        names = names_of(row.connection)
        schema = schema_of(row.connection)
        row.filter_xml = filters.checked(row.filter_xml, row.name, schema, names)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), element="filter_xml") from error
    row.save(update_fields=["filter_xml"])
