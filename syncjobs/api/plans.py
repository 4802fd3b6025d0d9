"""The plan of a dry run, and carrying it out."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer
from syncjobs.models import PlanChange, Run
from syncjobs.plan_document import document


class PlanFieldSerializer(serializers.Serializer[Any]):
    """A field before and after."""

    name = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class PlanChangeSerializer(serializers.Serializer[Any]):
    """One record, as a sample."""

    kind = serializers.ChoiceField(choices=PlanChange.Kind.values)
    action = serializers.CharField(help_text="create, update or delete; empty if nothing is done")
    record = serializers.CharField()
    name = serializers.CharField()
    message = serializers.CharField()
    fields = PlanFieldSerializer(many=True)  # type: ignore[assignment]


class PlanEntitySerializer(serializers.Serializer[Any]):
    """What would happen to one entity, in records, and up to 20 samples of each kind."""

    name = serializers.CharField()
    state = serializers.CharField()
    message = serializers.CharField()
    full = serializers.BooleanField()
    read = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    deleted = serializers.IntegerField()
    left = serializers.IntegerField()
    pushed = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    rejected = serializers.IntegerField()
    held = serializers.IntegerField()
    kept = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    changes = PlanChangeSerializer(many=True)


class PlanRequestsSerializer(serializers.Serializer[Any]):
    """What the plan costs."""

    reading = serializers.IntegerField(help_text="as the dry run took")
    writing = serializers.IntegerField(help_text="estimated")


class PlanSerializer(serializers.Serializer[Any]):
    """What Sync All would do."""

    run = serializers.UUIDField()
    client = serializers.CharField()
    state = serializers.CharField()
    made = serializers.DateTimeField()
    expires = serializers.DateTimeField()
    digest = serializers.CharField(help_text="empty until the plan is whole")
    pages = serializers.IntegerField(help_text="calls that write")
    requests = PlanRequestsSerializer()
    can_be_applied = serializers.BooleanField()
    why_not = serializers.CharField()
    entities = PlanEntitySerializer(many=True)


class Plan(APIView):
    """The plan of a dry run of Sync All."""

    authentication_classes = access.AUTHENTICATION
    queryset = Run.objects.select_related("connection")

    def get_permissions(self) -> list[BasePermission]:
        """Looking needs the permission to view runs, applying the one to add them."""
        kinds = access.STARTING if self.request.method == "POST" else access.PERMISSIONS
        return [kind() for kind in kinds]

    @extend_schema(responses={200: PlanSerializer, 404: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: str) -> Response:
        """Return the plan; 404 for a run that is no dry run of Sync All."""
        run = get_object_or_404(self.queryset, pk=pk)
        if run.kind != Run.Kind.SYNC or not run.options.get("dry_run"):
            raise NotFound(f"Run {run.pk} is no dry run of Sync All, so it has no plan.")
        return Response(document(run))

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Start a run that carries out this plan and nothing else."""
        run = get_object_or_404(self.queryset, pk=pk)
        try:
            started = dispatch.start_apply(
                run.connection, run.pk, reason="API", **access.starter(request)
            )
        except InvalidRequest as error:
            raise ValidationError({error.element.lower(): [str(error)]}) from error
        return Response(RunSerializer(started).data, status=202)
