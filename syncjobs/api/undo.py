"""Taking a run back: the plan of it, and carrying it out."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organizations.errors import InvalidRequest
from syncjobs import undo
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer
from syncjobs.models import Run


class UndoCountSerializer(serializers.Serializer[Any]):
    """How many records of an entity would be written in one way on one side."""

    side = serializers.ChoiceField(choices=("server", "client"))
    entity = serializers.CharField()
    action = serializers.ChoiceField(choices=("create", "update", "delete"))
    count = serializers.IntegerField()


class UndoSampleSerializer(serializers.Serializer[Any]):
    """One record that would be written."""

    side = serializers.ChoiceField(choices=("server", "client"))
    entity = serializers.CharField()
    record = serializers.CharField()
    action = serializers.ChoiceField(choices=("create", "update", "delete"))


class UndoSkippedSerializer(serializers.Serializer[Any]):
    """One record that would be left as it is."""

    side = serializers.ChoiceField(choices=("server", "client"))
    entity = serializers.CharField()
    record = serializers.CharField()
    reason = serializers.CharField()


class UndoPlanSerializer(serializers.Serializer[Any]):
    """What taking a run back would do; apply it by its digest."""

    digest = serializers.CharField()
    counts = UndoCountSerializer(many=True)
    samples = UndoSampleSerializer(many=True)
    skipped = UndoSkippedSerializer(many=True, help_text="the first 1,000")
    skips = serializers.IntegerField(help_text="how many are skipped in all")
    already = serializers.IntegerField(help_text="records that are as before the run already")
    breaks = serializers.ListField(child=serializers.CharField())


class UndoRequestSerializer(serializers.Serializer[Any]):
    """Without a digest a preview is started, with one the undo."""

    digest = serializers.CharField(required=False, help_text="of the plan to carry out")


class NoPlanSerializer(serializers.Serializer[Any]):
    """Why there is no plan."""

    detail = serializers.CharField()


class NoUndoSerializer(serializers.Serializer[Any]):
    """Why the run cannot be taken back, or not by that plan."""

    run = serializers.ListField(child=serializers.CharField(), required=False)
    digest = serializers.ListField(child=serializers.CharField(), required=False)


class Undo(APIView):
    """Take back what a run wrote; its plan comes first."""

    authentication_classes = access.AUTHENTICATION

    def get_permissions(self) -> list[BasePermission]:
        """Looking needs the permission to view runs, starting the one to add them."""
        kinds = access.STARTING if self.request.method == "POST" else access.PERMISSIONS
        return [kind() for kind in kinds]

    queryset = Run.objects.select_related("connection")

    @extend_schema(responses={200: UndoPlanSerializer, 404: NoPlanSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """Return the newest plan for taking the run back."""
        plan = undo.latest_plan(get_object_or_404(self.queryset, pk=pk))
        if plan is None:
            raise NotFound("There is no plan yet. POST without a digest to preview it.")
        return Response(UndoPlanSerializer(plan.result["undo"]).data)

    @extend_schema(
        request=UndoRequestSerializer,
        responses={202: RunSerializer, 400: NoUndoSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Start a preview, or with a digest the undo; answers with the run to follow."""
        run = get_object_or_404(self.queryset, pk=pk)
        asked = UndoRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        who = access.starter(request)
        try:
            if digest := asked.validated_data.get("digest"):
                started = undo.start(run, digest, reason="API", **who)
            else:
                started = undo.start_preview(run, reason="API", **who)
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        return Response(RunSerializer(started).data, status=202)
