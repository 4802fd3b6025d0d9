"""Runs: history, progress, errors, cancel."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from syncjobs import dispatch
from syncjobs.api import access
from syncjobs.api.serializers import RunDetailSerializer, RunErrorSerializer, RunSerializer
from syncjobs.models import Run

_FILTERS = {
    "connection": ("connection__name", None),
    "kind": ("kind", Run.Kind.values),
    "state": ("state", Run.State.values),
}
_PARAMETERS = [
    OpenApiParameter("connection", str, description="name of the client"),
    OpenApiParameter("kind", str, enum=Run.Kind.values),
    OpenApiParameter("state", str, enum=Run.State.values),
]


@extend_schema_view(list=extend_schema(parameters=_PARAMETERS))
class RunViewSet(viewsets.ReadOnlyModelViewSet[Run]):
    """Runs, newest first. One run is answered with its entities; poll it for progress."""

    queryset = Run.objects.select_related("connection", "user")
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.PERMISSIONS
    pagination_class = access.Pages

    def get_serializer_class(self) -> type[BaseSerializer[Run]]:
        """One run comes with its entities, a list of runs without."""
        return RunDetailSerializer if self.action == "retrieve" else RunSerializer

    def get_queryset(self) -> QuerySet[Run]:
        """Return the runs that the parameters ask for."""
        runs = super().get_queryset()
        if self.action == "retrieve":
            return runs.prefetch_related("entities")
        for name, (field, allowed) in _FILTERS.items():
            value = self.request.query_params.get(name)
            if value is None:
                continue
            if allowed is not None and value not in allowed:
                raise ValidationError({name: [f"Must be one of: {', '.join(allowed)}."]})
            runs = runs.filter(**{field: value})
        return runs

    @extend_schema(responses=RunErrorSerializer(many=True))
    @action(detail=True, filter_backends=())
    def errors(self, request: Request, pk: UUID) -> Response:
        """All errors of the run, page by page, in the order in which they happened."""
        pages = access.Pages()
        page = pages.paginate_queryset(self.get_object().errors.all(), request, self)
        return pages.get_paginated_response(RunErrorSerializer(page, many=True).data)

    @extend_schema(request=None, responses={200: RunSerializer, 409: RunSerializer})
    @action(detail=True, methods=["post"], permission_classes=access.STARTING)
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Ask the run to stop; 409 with the run if it had ended already."""
        run = self.get_object()
        status = 200 if dispatch.cancel(run) else 409
        return Response(RunSerializer(run).data, status=status)
