"""Deletions that wait for a person, and deciding about them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection
from syncjobs import dispatch, held
from syncjobs.api import access
from syncjobs.models import HeldDeletions

_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
_STATE = OpenApiParameter("state", str, enum=HeldDeletions.State.values)


class MayDecide(BasePermission):
    """Deciding needs the permission to change held deletions."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user may approve and decline."""
        return bool(request.user and request.user.has_perm(held.PERMISSION))


class Undecidable(APIException):
    """They were decided about before, or are not those that were shown."""

    status_code = 409


class SampleSerializer(serializers.Serializer[Any]):
    """One record that is to be deleted: its id on the server, its name, and why."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    why = serializers.CharField()


class HeldSerializer(serializers.ModelSerializer[HeldDeletions]):
    """The deletions of one entity: how many, of how many linked records, why they wait, some."""

    entity = serializers.CharField(source="entity.name", read_only=True)
    sample = SampleSerializer(many=True, read_only=True)

    class Meta:
        """All read-only."""

        model = HeldDeletions
        fields = (
            "id",
            "entity",
            "state",
            "reason",
            "count",
            "linked",
            "sample",
            "run",
            "created",
            "decided",
            "decided_by",
        )
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Any]):
    """The decision; `count` is how many were shown to whoever decided."""

    decision = serializers.ChoiceField(choices=["approve", "decline"])
    count = serializers.IntegerField(min_value=1)


class DecidedSerializer(serializers.Serializer[Any]):
    """What became of them; `run` is the one that deletes them now, null where none does."""

    held = HeldSerializer()
    run = serializers.UUIDField(allow_null=True)


@extend_schema(parameters=[_CLIENT, _STATE])
class HeldList(generics.ListAPIView[HeldDeletions]):
    """Deletions that waited or wait for a person, the newest first."""

    queryset = HeldDeletions.objects.select_related("entity")
    serializer_class = HeldSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[HeldDeletions]:
        """Return those of the connection; 404 if there is no such connection."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        found = super().get_queryset().filter(entity__connection=connection)
        state = self.request.query_params.get("state")
        return found.filter(state=state) if state else found


class HeldDecision(APIView):
    """Approving or declining what waits."""

    authentication_classes = access.AUTHENTICATION
    permission_classes = (IsAdminUser, MayDecide)

    @extend_schema(
        parameters=[_CLIENT], request=DecisionSerializer, responses={200: DecidedSerializer}
    )
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Decide; 409 where they do not wait any more, or are others than were shown."""
        connection = get_object_or_404(Connection, name=name)
        wanted = DecisionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        is_approved = wanted.validated_data["decision"] == "approve"
        act = held.approve if is_approved else held.decline
        who = access.starter(request)
        try:
            row = act(connection, pk, by=who["actor"], count=wanted.validated_data["count"])
        except held.CannotDecide as error:
            raise Undecidable(str(error)) from error
        run = None
        if is_approved:
            run = dispatch.start_sync(
                connection, reason="approved deletions", entities=[row.entity.name], **who
            )
        found = {"held": row, "run": run.pk if run else None}
        return Response(DecidedSerializer(found).data)
