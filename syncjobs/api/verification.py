"""What Verify found: the last proof of each entity, and the records that were not the same."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics

from connections.models import Connection
from syncjobs.api import access
from syncjobs.api.serializers import DifferenceSerializer, VerificationSerializer
from syncjobs.models import Difference, Verification

_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
_ENTITY = OpenApiParameter("entity", str, description="only those of this entity")


@extend_schema(parameters=[_CLIENT])
class VerificationList(generics.ListAPIView[Verification]):
    """The last proof of each entity that was verified, by name."""

    queryset = Verification.objects.select_related("entity").order_by("entity__name")
    serializer_class = VerificationSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[Verification]:
        """Return those of the connection; 404 if there is no such connection."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        return super().get_queryset().filter(entity__connection=connection)


@extend_schema(parameters=[_CLIENT, _ENTITY])
class DifferenceList(generics.ListAPIView[Difference]):
    """The differences listed by the last proofs, at most a thousand of each entity."""

    queryset = Difference.objects.select_related("verification__entity")
    serializer_class = DifferenceSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_queryset(self) -> QuerySet[Difference]:
        """Return those of the connection, and of one entity if it is named."""
        connection = get_object_or_404(Connection, name=self.kwargs["name"])
        found = super().get_queryset().filter(verification__entity__connection=connection)
        entity = self.request.query_params.get("entity")
        return found.filter(verification__entity__name=entity) if entity else found
