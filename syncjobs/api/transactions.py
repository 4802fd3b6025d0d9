"""Offline transactions of a connection: list, one with its history, actions, causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connections.models import Connection
from organizations.errors import InvalidRequest
from organizations.errors import NotFound as Missing
from syncjobs import dispatch, handling, instant, recipes
from syncjobs.api import access
from syncjobs.api.serializers import RunSerializer
from syncjobs.causes import causes
from syncjobs.engine.values import Side
from syncjobs.errors import LaneBusy
from syncjobs.models import OfflineTransaction, Run, TransactionEvent

_CLIENT = OpenApiParameter("name", str, OpenApiParameter.PATH, description="the client's name")
_STATUS = OpenApiParameter("status", str, enum=OfflineTransaction.Status.values)
_SEARCH = OpenApiParameter(
    "search", str, description="a part of entity, user, code, message or change, or the record's id"
)
_CAUSE = OpenApiParameter("cause", str, description="key of a cause, as under causes/")


class MayHandle(BasePermission):
    """Setting to Pending or Archived and deciding conflicts needs the permission to change."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user may handle transactions."""
        return bool(request.user and request.user.has_perm(handling.PERMISSION))


class Delivering(APIException):
    """A delivery is under way, so that nothing can be set aside."""

    status_code = 409
    default_detail = "Changes of this connection are being delivered right now. Try again later."


class TransactionSerializer(serializers.ModelSerializer[OfflineTransaction]):
    """One client change; `changes` is {column: [old, new]}, null where it is not known which.

    With `side` server it holds values of the server that lost to the client's.
    """

    entity = serializers.CharField(source="entity.name", read_only=True)
    side = serializers.ChoiceField(choices=list(Side), read_only=True)
    changes = serializers.JSONField(allow_null=True, read_only=True)

    class Meta:
        """All read-only."""

        model = OfflineTransaction
        fields = (
            "id",
            "entity",
            "client_id",
            "action",
            "side",
            "changes",
            "status",
            "attempts",
            "next_attempt",
            "actor",
            "at",
            "code",
            "message",
            "cause",
            "version",
            "finished",
        )
        read_only_fields = fields


class TransactionEventSerializer(serializers.ModelSerializer[TransactionEvent]):
    """One line of the history."""

    class Meta:
        """All read-only."""

        model = TransactionEvent
        fields = ("at", "status", "why", "actor", "run")
        read_only_fields = fields


class TransactionDetailSerializer(TransactionSerializer):
    """One client change with its history and its conflict, {base, server, client} by column."""

    events = TransactionEventSerializer(many=True, read_only=True)
    conflict = serializers.JSONField(allow_null=True, read_only=True)

    class Meta(TransactionSerializer.Meta):
        """The transaction and what became of it."""

        fields = (*TransactionSerializer.Meta.fields, "based_on", "conflict", "events")  # type: ignore[assignment]


class ActSerializer(serializers.Serializer[Any]):
    """What is to be done with which transactions."""

    do = serializers.ChoiceField(choices=["pending", "archived"])
    ids = serializers.ListField(child=serializers.IntegerField(), max_length=10_000)


class DecideSerializer(serializers.Serializer[Any]):
    """A person's choice for a conflict: one side for all, or a side for each column."""

    all = serializers.ChoiceField(choices=list(Side), required=False)
    choices = serializers.DictField(child=serializers.CharField(), required=False)
    version = serializers.IntegerField(help_text="the client's that was looked at")
    server_version = serializers.IntegerField(help_text="the server's that was looked at")


class CountSerializer(serializers.Serializer[Any]):
    """How many transactions were changed."""

    count = serializers.IntegerField()


class CauseSerializer(serializers.Serializer[Any]):
    """Identical errors, and what to do about them."""

    cause = serializers.CharField(help_text="key; with the entity it names the cause")
    entity = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField(help_text="one of the messages")
    count = serializers.IntegerField()
    advice = serializers.CharField()
    step = serializers.ChoiceField(choices=list(recipes.Step))


class FollowSerializer(serializers.Serializer[Any]):
    """Which recipe to follow; `side` decides all conflicts of the cause (step `decide`)."""

    cause = serializers.CharField()
    entity = serializers.CharField()
    step = serializers.ChoiceField(choices=list(recipes.Step))
    side = serializers.ChoiceField(choices=list(Side), required=False)


class _Transactions(generics.GenericAPIView[OfflineTransaction]):
    """Rows of the connection named in the path."""

    queryset = OfflineTransaction.objects.select_related("entity").order_by("-first_version", "-id")
    serializer_class = TransactionSerializer
    authentication_classes = access.AUTHENTICATION

    def get_permissions(self) -> list[BasePermission]:
        """Looking needs the view permission, everything else the permission to change."""
        needed = access.PERMISSIONS if self.request.method == "GET" else (IsAdminUser, MayHandle)
        return [permission() for permission in needed]

    def connection(self) -> Connection:
        """Return the connection; 404 if there is none."""
        return get_object_or_404(Connection, name=self.kwargs["name"])

    def get_queryset(self) -> QuerySet[OfflineTransaction]:
        """Return the transactions of that connection."""
        return super().get_queryset().filter(connection=self.connection())

    def act(self, step: Callable[[Connection, str], int]) -> Response:
        """Carry out a step, wake the delivery, and answer how many were changed."""
        connection = self.connection()
        try:
            count = step(connection, self.request.user.get_username())
        except LaneBusy as error:
            raise Delivering from error
        except InvalidRequest as error:
            raise ValidationError({error.element: [str(error)]}) from error
        except Missing as error:
            raise NotFound(str(error)) from error
        instant.wake(connection.pk)
        return Response({"count": count})


@extend_schema(parameters=[_CLIENT])
class TransactionList(_Transactions):
    """The transactions of a connection, the newest first."""

    pagination_class = access.Pages

    @extend_schema(
        parameters=[_STATUS, _CAUSE, _SEARCH],
        responses=TransactionSerializer(many=True),
        filters=True,
    )
    def get(self, request: Request, name: str) -> Response:
        """List them, of one status or cause or with a text in them if wanted."""
        query = request.query_params
        status = query.get("status")
        if status is not None and status not in OfflineTransaction.Status.values:
            allowed = ", ".join(OfflineTransaction.Status.values)
            raise ValidationError({"status": [f"Must be one of: {allowed}."]})
        rows = handling.matching(
            self.get_queryset(),
            status=status or "",
            search=query.get("search", "").strip(),
            cause=query.get("cause", ""),
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(TransactionSerializer(page, many=True).data)

    @extend_schema(request=ActSerializer, responses={200: CountSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Set some to Pending or Archived; 409 while a delivery is under way."""
        wanted = ActSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        do, ids = wanted.validated_data["do"], wanted.validated_data["ids"]
        act = handling.set_pending if do == "pending" else handling.set_archived
        return self.act(lambda connection, actor: act(connection, ids, actor=actor))


@extend_schema(parameters=[_CLIENT])
class TransactionDetail(_Transactions):
    """One transaction with its history."""

    @extend_schema(responses=TransactionDetailSerializer)
    def get(self, request: Request, name: str, pk: int) -> Response:
        """Return it."""
        row = get_object_or_404(self.get_queryset(), pk=pk)
        return Response(TransactionDetailSerializer(row).data)

    @extend_schema(
        operation_id="connections_transactions_decide",
        request=DecideSerializer,
        responses={200: CountSerializer},
    )
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Decide its conflict."""
        row = get_object_or_404(self.get_queryset(), pk=pk)
        wanted = DecideSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        choices = given.get("choices") or {}
        if "all" in given:
            if choices:
                raise ValidationError({"choices": ["Give either 'all' or 'choices'."]})
            choices = dict.fromkeys(handling.columns_of(row), given["all"])

        def step(connection: Connection, actor: str) -> int:
            seen = (given["version"], given["server_version"])
            handling.decide(row, choices, seen=seen, actor=actor)
            return 1

        return self.act(step)


@extend_schema(parameters=[_CLIENT])
class RetryAll(_Transactions):
    """Set all to Pending."""

    serializer_class = CountSerializer  # type: ignore[assignment]

    @extend_schema(request=None, responses={200: CountSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Schedule all transactions in Error for a new delivery."""
        return self.act(lambda connection, actor: handling.set_all_pending(connection, actor=actor))


@extend_schema(parameters=[_CLIENT])
class CauseList(_Transactions):
    """Identical errors, the most frequent first."""

    serializer_class = CauseSerializer  # type: ignore[assignment]
    pagination_class = None

    @extend_schema(responses=CauseSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """List the causes with what to do."""
        connection, told = self.connection(), []
        for one in causes(connection):
            advice = recipes.recipe(connection, one)
            told.append(
                {
                    "cause": one.key,
                    "entity": one.entity.name,
                    "code": one.code,
                    "message": one.message,
                    "count": one.count,
                    "advice": advice.words,
                    "step": advice.step,
                }
            )
        return Response(CauseSerializer(told, many=True).data)

    @extend_schema(request=FollowSerializer, responses={200: CountSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Follow the recipe of a cause; 404 when nothing fails for it any more."""
        wanted = FollowSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data

        def step(connection: Connection, actor: str) -> int:
            cause = recipes.found(connection, given["cause"], given["entity"])
            side = Side(given["side"]) if "side" in given else None
            return recipes.follow(connection, cause, given["step"], side=side, actor=actor)

        return self.act(step)


@extend_schema(parameters=[_CLIENT])
class Deliver(generics.GenericAPIView[Run]):
    """Deliver Now."""

    queryset = Run.objects.all()
    serializer_class = RunSerializer
    authentication_classes = access.AUTHENTICATION
    permission_classes = access.STARTING

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Start a run that only carries the client's changes to the server."""
        connection = get_object_or_404(Connection, name=name)
        run = dispatch.start(connection, Run.Kind.DELIVER, reason="API", **access.starter(request))
        return Response(RunSerializer(run).data, status=202)
