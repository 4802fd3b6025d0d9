"""The ledger of requests to a connection's server."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers

from connections import ledger
from connections.models import Connection, RequestHour
from syncjobs.api import access


class RequestHourSerializer(serializers.ModelSerializer[RequestHour]):
    """One hour."""

    class Meta:
        """All read-only."""

        model = RequestHour
        fields = ("hour", "requests", "throttled", "waited", "received")
        read_only_fields = fields


@extend_schema(
    parameters=[
        OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
    ]
)
class RequestHours(generics.ListAPIView[RequestHour]):
    """Hours of the last two days in which the server was asked, the latest first."""

    queryset = RequestHour.objects.all()
    serializer_class = RequestHourSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[RequestHour]:
        """Return the hours of that connection's server; 404 if there is no such connection."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        return ledger.recent(connection.server)
