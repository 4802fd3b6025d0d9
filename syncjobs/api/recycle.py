"""The recycle bin of a connection's client: what is in it, restoring, and choosing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection
from organizations.models import DeletedRecord
from syncjobs import recycle_bin
from syncjobs.api import access

MOST = 1000
PERMISSION = "connections.change_connection"
_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
_ENTITY = OpenApiParameter("entity", str, description="only those of this entity")
_SEARCH = OpenApiParameter("search", str, description="a part of any value, or the record's id")


class MayRestore(BasePermission):
    """Looking needs the permission to view connections, restoring that to change them."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user may do that."""
        wanted = "connections.view_connection" if request.method == "GET" else PERMISSION
        return bool(request.user and request.user.has_perm(wanted))


class DeletedRecordSerializer(serializers.ModelSerializer[DeletedRecord]):
    """A deleted client record; `origin` is the connection that deleted it, empty for a user."""

    values = serializers.JSONField(source="document", read_only=True)

    class Meta:
        """All read-only."""

        model = DeletedRecord
        fields = ("id", "entity", "record", "at", "actor", "origin", "values")
        read_only_fields = fields


class RestoreSerializer(serializers.Serializer[Any]):
    """Which to restore: their ids in the bin."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=MOST
    )


class RestoredSerializer(serializers.Serializer[Any]):
    """How many came back, and why others did not."""

    restored = serializers.IntegerField()
    failed = serializers.ListField(child=serializers.CharField())


class ChoiceSerializer(serializers.Serializer[Any]):
    """What happens with restored records: kept on the client only, or ruled by the server again."""

    entity = serializers.CharField()
    records = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=MOST
    )
    choice = serializers.ChoiceField(choices=["keep", "follow"])


class ChosenSerializer(serializers.Serializer[Any]):
    """For how many of them that was still open."""

    chosen = serializers.IntegerField()


@extend_schema(parameters=[_CLIENT])
class RecycleBin(generics.ListAPIView[DeletedRecord]):
    """Deleted client records, the last first; none where the client is not hosted here."""

    queryset = DeletedRecord.objects.all()
    serializer_class = DeletedRecordSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = (IsAdminUser, MayRestore)
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[DeletedRecord]:
        """Return those of the connection that were asked for."""
        query = self.request.query_params
        return recycle_bin.deleted_records(
            self._connection(), entity=query.get("entity", ""), search=query.get("search", "")
        )

    @extend_schema(parameters=[_ENTITY, _SEARCH])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them page by page."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=RestoreSerializer, responses={200: RestoredSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Bring records back with their ids."""
        wanted = RestoreSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        rows = recycle_bin.deleted_records(self._connection()).filter(
            pk__in=wanted.validated_data["ids"]
        )
        actor = access.starter(request)["actor"]
        done = recycle_bin.restore(self._connection(), list(rows), actor=actor)
        found = {"restored": done.count, "failed": done.failed}
        return Response(RestoredSerializer(found).data)

    def _connection(self) -> Connection:
        return get_object_or_404(Connection, name=self.kwargs["name"])


class RecycleChoice(APIView):
    """Choosing what happens with restored records."""

    authentication_classes = access.AUTHENTICATION
    permission_classes = (IsAdminUser, MayRestore)

    @extend_schema(
        parameters=[_CLIENT], request=ChoiceSerializer, responses={200: ChosenSerializer}
    )
    def post(self, request: Request, name: str) -> Response:
        """Keep them on the client only, or let the server rule them again."""
        connection = get_object_or_404(Connection, name=name)
        wanted = ChoiceSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        entity, records = wanted.validated_data["entity"], wanted.validated_data["records"]
        if wanted.validated_data["choice"] == "keep":
            by = access.starter(request)["actor"]
            count = recycle_bin.keep(connection, entity, records, by=by)
        else:
            count = recycle_bin.follow(connection, entity, records)
        return Response(ChosenSerializer({"chosen": count}).data)
