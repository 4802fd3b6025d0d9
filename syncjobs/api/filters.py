"""What a new sync filter would change, and saving it afterwards."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs import filter_changes
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer
from syncjobs.models import Run


class NamedSerializer(serializers.Serializer[Any]):
    """A record for people."""

    id = serializers.CharField()
    name = serializers.CharField()


class OrphansSerializer(serializers.Serializer[Any]):
    """Records of the client whose lookup would lead to a record that left."""

    entity = serializers.CharField()
    attribute = serializers.CharField()
    count = serializers.IntegerField()
    samples = NamedSerializer(many=True)


class FilterChangeSerializer(serializers.Serializer[Any]):
    """What would change, with up to 20 samples of each."""

    inside = serializers.IntegerField(help_text="records of the server inside the filter")
    enters = serializers.IntegerField()
    leaves = serializers.IntegerField()
    entering = NamedSerializer(many=True)
    leaving = NamedSerializer(many=True)
    children = OrphansSerializer(many=True)
    leaving_is = serializers.ChoiceField(choices=("deleted", "kept"))


class FilterPreviewSerializer(serializers.Serializer[Any]):
    """A preview; `change` is null until it is made."""

    run = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Run.State.values)
    message = serializers.CharField()
    filter_xml = serializers.CharField()
    change = FilterChangeSerializer(allow_null=True)
    can_be_saved = serializers.BooleanField()
    why_not = serializers.CharField()


class StartFilterPreviewSerializer(serializers.Serializer[Any]):
    """The filter to try, or a preview whose filter is to be saved."""

    filter_xml = serializers.CharField(
        required=False, allow_blank=True, help_text="FetchXML; empty: all records"
    )
    preview = serializers.UUIDField(
        required=False, help_text="the run of a preview, whose filter is to be saved"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two is needed."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either filter_xml or preview.")
        return attrs


@extend_schema(
    parameters=[
        OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name"),
        OpenApiParameter("entity", str, OpenApiParameter.PATH, description="logical name"),
    ]
)
class FilterPreview(APIView):
    """Shows what a filter would change before it is saved."""

    authentication_classes = access.AUTHENTICATION
    queryset = Connection.objects.all()

    def get_permissions(self) -> list[BasePermission]:
        """Looking needs the permission to view connections; starting, those to run and change."""
        if self.request.method != "POST":
            return [permission() for permission in access.PERMISSIONS]
        return [permission() for permission in (*access.STARTING, MayChangeConnections)]

    @extend_schema(
        parameters=[OpenApiParameter("run", str, description="the id of the preview's run")],
        responses={200: FilterPreviewSerializer, 400: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, name: str, entity: str) -> Response:
        """Return a preview; poll it until its run has ended."""
        connection = get_object_or_404(self.queryset, name=name)
        try:
            filter_changes.find(connection, entity)
            made = filter_changes.preview(connection, request.query_params.get("run", ""))
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        why_not = filter_changes.why_not(made)
        return Response(
            {
                "run": str(made.pk),
                "state": made.state,
                "message": made.message,
                "filter_xml": made.options["filter"],
                "change": made.result.get("filter"),
                "can_be_saved": not why_not,
                "why_not": why_not,
            }
        )

    @extend_schema(request=StartFilterPreviewSerializer, responses={202: RunSerializer})
    def post(self, request: Request, name: str, entity: str) -> Response:
        """Start a preview of `filter_xml`, or save the filter of the `preview` that has ended."""
        connection = get_object_or_404(self.queryset, name=name)
        wanted = StartFilterPreviewSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            row = filter_changes.find(connection, entity)
            if key := wanted.validated_data.get("preview"):
                run = filter_changes.preview(connection, key)
                filter_changes.save(run)
            else:
                text = wanted.validated_data["filter_xml"]
                run = filter_changes.start(row, text, reason="API", **access.starter(request))
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        return Response(RunSerializer(run).data, status=202)


class MayChangeConnections(BasePermission):
    """Changing a filter needs the permission to change connections."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user may change connections."""
        return bool(request.user and request.user.has_perm("connections.change_connection"))
