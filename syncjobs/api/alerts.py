"""Alerts: what is silent and should not be."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers

from syncjobs.api import access
from syncjobs.models import Alert


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """An alert; `closed` is null while it holds, `connection` the client's name."""

    connection = serializers.SlugRelatedField(slug_field="name", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        """Read only."""

        model = Alert
        fields = ("id", "connection", "kind", "subject", "message", "opened", "closed")
        read_only_fields = fields


@extend_schema(
    parameters=[
        OpenApiParameter("connection", str, description="only those of this client"),
        OpenApiParameter("all", bool, description="those that are over too"),
    ]
)
class AlertList(generics.ListAPIView[Alert]):
    """The open alerts, the newest first."""

    queryset = Alert.objects.select_related("connection")
    serializer_class = AlertSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[Alert]:
        """Return those asked for."""
        asked = self.request.query_params
        found = super().get_queryset()
        if asked.get("all", "").lower() not in ("1", "true"):
            found = found.filter(closed=None)
        name = asked.get("connection")
        return found.filter(connection__name=name) if name else found
