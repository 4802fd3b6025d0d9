"""The story of one record of a connection."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs.api import access
from syncjobs.explain.document import document
from syncjobs.explain.explaining import explain

KINDS = ("write", "problem", "transaction", "log", "recycle bin")


class ExplainedLinkSerializer(serializers.Serializer[Any]):
    """What both sides agreed on last."""

    server_version = serializers.IntegerField()
    client_version = serializers.IntegerField()
    state = serializers.CharField()
    taken_back = serializers.CharField(help_text="the undo that took it back, if one did")


class ExplainedSideSerializer(serializers.Serializer[Any]):
    """The record on one side now."""

    version = serializers.IntegerField()
    is_there = serializers.BooleanField()
    problem = serializers.CharField(help_text="why the side could not be asked")


class ExplainedFieldSerializer(serializers.Serializer[Any]):
    """One column on both sides, in the client's terms."""

    name = serializers.CharField()
    server = serializers.CharField(allow_null=True)
    client = serializers.CharField(allow_null=True)
    is_compared = serializers.BooleanField(help_text="whether it decides if both are equal")
    is_equal = serializers.BooleanField()


class ExplainedChangeSerializer(serializers.Serializer[Any]):
    """One column before and after a write."""

    name = serializers.CharField()
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class ExplainedEventSerializer(serializers.Serializer[Any]):
    """Something that happened to the record."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(
        choices=("write", "problem", "transaction", "log", "recycle bin")
    )
    what = serializers.CharField()
    run = serializers.CharField(help_text="id of the run, empty outside of one")
    actor = serializers.CharField()
    changes = ExplainedChangeSerializer(many=True)


class ExplainedFilterSerializer(serializers.Serializer[Any]):
    """What the sync filter says of the record."""

    verdict = serializers.CharField()
    server_says = serializers.BooleanField(allow_null=True, help_text="null: it was not asked")
    conditions = serializers.JSONField(
        allow_null=True, help_text="{text, is_true, children}, nested; is_true null: not known here"
    )


class ExplainedSerializer(serializers.Serializer[Any]):
    """All that is known of one record."""

    entity = serializers.CharField()
    server_id = serializers.UUIDField()
    client_id = serializers.UUIDField()
    summary = serializers.CharField()
    link = ExplainedLinkSerializer(allow_null=True)
    server = ExplainedSideSerializer()
    client = ExplainedSideSerializer()
    fields = ExplainedFieldSerializer(many=True)  # type: ignore[assignment]
    filter = ExplainedFilterSerializer()
    waits = serializers.ListField(child=serializers.CharField())
    events = ExplainedEventSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class NoRecordSerializer(serializers.Serializer[Any]):
    """Why no record was found."""

    record = serializers.ListField(child=serializers.CharField())


class Explain(APIView):
    """Tells the story of a record that is named by id or by URL of either side."""

    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    queryset = Connection.objects.all()

    @extend_schema(
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name"),
            OpenApiParameter(
                "record",
                str,
                required=True,
                description="an id, 'entity id', or the address of a record on either side",
            ),
        ],
        responses={200: ExplainedSerializer, 400: NoRecordSerializer},
    )
    def get(self, request: Request, name: str) -> Response:
        """Return links, what both sides hold, the filter's verdict, what waits, what happened."""
        connection = get_object_or_404(self.queryset, name=name)
        try:
            story = explain(connection, request.query_params.get("record", ""))
        except InvalidRequest as error:
            raise ValidationError({"record": [str(error)]}) from error
        return Response(document(story))
