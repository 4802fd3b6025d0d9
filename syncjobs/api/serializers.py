"""What the JSON API takes and gives; its names are those of the design and of the models."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from connections.admin.settings_form import LIMITS
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs import schedule
from syncjobs.models import Difference, Run, RunEntity, RunError, SyncJob, Verification


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """How one side is reached; secrets are never shown."""

    organization = serializers.CharField(
        source="organization.name", default=None, allow_null=True, read_only=True
    )

    class Meta:
        """Nothing here can be written: endpoints are made by connecting."""

        model = Endpoint
        fields = (
            "backend",
            "url",
            "user_name",
            "organization",
            "organization_name_seen",
            "is_atomic",
        )
        read_only_fields = fields


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """One server and one client."""

    server = EndpointSerializer(read_only=True)
    client = EndpointSerializer(read_only=True)

    class Meta:
        """The settings can be changed."""

        model = Connection
        fields = (
            "name",
            "state",
            "problem",
            "write_mode",
            "reply",
            "reply_seconds",
            "delete_limit",
            "delete_floor",
            "delete_percent",
            "recycle_days",
            "image_days",
            "verify_requests",
            "server",
            "client",
            "created",
        )
        extra_kwargs = {
            name: {"min_value": low, "max_value": high} for name, (low, high) in LIMITS.items()
        }
        read_only_fields = ("name", "state", "problem", "created")


class SyncedEntitySerializer(serializers.ModelSerializer[SyncedEntity]):
    """One entity of a connection."""

    last_sync = serializers.DateTimeField(
        source="checkpoint.completed",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="end of the last complete reading",
    )

    class Meta:
        """Enabled, sync deletion, the filter and the rules can be changed."""

        model = SyncedEntity
        fields = (
            "name",
            "label",
            "is_intersect",
            "enabled",
            "sync_deletion",
            "write_mode",
            "conflict_rule",
            "leaving",
            "filter_xml",
            "problem",
            "note",
            "last_sync",
        )
        read_only_fields = ("name", "label", "is_intersect", "problem", "note")


class SyncJobSerializer(serializers.ModelSerializer[SyncJob]):
    """The schedule of a connection."""

    connection = serializers.SlugRelatedField(
        slug_field="name", queryset=Connection.objects.all(), help_text="the client's name"
    )

    class Meta:
        """The times are computed."""

        model = SyncJob
        fields = (
            "id",
            "connection",
            "name",
            "step",
            "frequency",
            "every",
            "hour",
            "minute",
            "is_active",
            "keep_logs",
            "verifies",
            "next_due",
            "last_run",
        )
        read_only_fields = ("next_due", "last_run")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a schedule that can never come due, naming the field."""
        kept = {
            name: getattr(self.instance, name)
            for name in ("frequency", "every", "hour", "minute")
            if isinstance(self.instance, SyncJob)
        }
        given = {name: attrs[name] for name in attrs if name != "connection"}
        try:
            schedule.check(SyncJob(**{**kept, **given}))
        except InvalidRequest as error:
            raise serializers.ValidationError({error.element: str(error)}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> SyncJob:
        """Save a new job with the time it comes due."""
        job = SyncJob(**validated_data)
        schedule.apply(job, timezone.now())
        job.save()
        return job

    def update(self, instance: SyncJob, validated_data: dict[str, Any]) -> SyncJob:
        """Save the changes and the new time it comes due."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        schedule.apply(instance, timezone.now())
        instance.save()
        return instance


class DifferenceSerializer(serializers.ModelSerializer[Difference]):
    """One record that was not the same on both sides."""

    entity = serializers.CharField(source="verification.entity.name", read_only=True)

    class Meta:
        """All read-only."""

        model = Difference
        fields = ("entity", "kind", "server_id", "client_id", "reason", "fields")
        read_only_fields = fields


class VerificationSerializer(serializers.ModelSerializer[Verification]):
    """The last proof of one entity."""

    entity = serializers.CharField(source="entity.name", read_only=True)

    class Meta:
        """All read-only."""

        model = Verification
        fields = ("entity", "at", "server", "client", "equal", "differences", "read")
        read_only_fields = fields


class StartVerifySerializer(serializers.Serializer[Any]):
    """What to verify."""

    entities = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="empty: all enabled ones"
    )
    quick = serializers.BooleanField(
        default=False, help_text="by versions, what was not written since it was carried"
    )
    budget = serializers.IntegerField(
        min_value=1, default=None, allow_null=True, help_text="requests; null: as the connection"
    )


class RunEntitySerializer(serializers.ModelSerializer[RunEntity]):
    """Counts of one entity, in records."""

    class Meta:
        """All read-only."""

        model = RunEntity
        fields = (
            "name",
            "state",
            "full",
            "expected",
            "read",
            *RunEntity.COUNTS,
            "seconds",
            "message",
        )
        read_only_fields = fields


class RunErrorSerializer(serializers.ModelSerializer[RunError]):
    """One record or entity that could not be carried, and why."""

    class Meta:
        """All read-only."""

        model = RunError
        fields = ("entity", "record", "code", "message", "at")
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer[Run]):
    """One execution, without its entities."""

    connection = serializers.CharField(source="connection.name", read_only=True)
    user = serializers.CharField(
        source="user.username", default=None, allow_null=True, read_only=True
    )
    is_active = serializers.BooleanField(read_only=True)

    class Meta:
        """All read-only: runs are started and cancelled, never edited."""

        model = Run
        fields = (
            "id",
            "connection",
            "kind",
            "state",
            "is_active",
            "reason",
            "actor",
            "user",
            "message",
            "options",
            "created",
            "started",
            "finished",
            "worker",
        )
        read_only_fields = fields


class RunDetailSerializer(RunSerializer):
    """One execution with its entities: what the run's page polls."""

    entities = RunEntitySerializer(many=True, read_only=True)
    error_count = serializers.SerializerMethodField()
    read = serializers.SerializerMethodField()
    seconds = serializers.SerializerMethodField()
    rate = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        """The run and what it carries."""

        fields = (  # type: ignore[assignment]
            *RunSerializer.Meta.fields,
            "entities",
            "error_count",
            "read",
            "seconds",
            "rate",
        )

    def get_error_count(self, run: Run) -> int:
        """Return how many errors there are under `errors/`."""
        return run.errors.count()

    def get_read(self, run: Run) -> int:
        """Return how many records were read."""
        return sum(row.read for row in run.entities.all())

    def get_seconds(self, run: Run) -> float:
        """Return how long the run has taken so far, or took."""
        if run.started is None:
            return 0.0
        return ((run.finished or timezone.now()) - run.started).total_seconds()

    @extend_schema_field(serializers.FloatField(help_text="records read a second"))
    def get_rate(self, run: Run) -> float:
        """Return records read a second."""
        seconds = self.get_seconds(run)
        return round(self.get_read(run) / seconds, 1) if seconds else 0.0


class StartSyncSerializer(serializers.Serializer[Any]):
    """What Sync All shall carry."""

    entities = serializers.ListField(
        child=serializers.CharField(max_length=128),
        required=False,
        help_text="logical names; none: all that are enabled",
    )
    dry_run = serializers.BooleanField(default=False, help_text="count only, write no record")
    full = serializers.BooleanField(default=False, help_text="read everything again")


class ConnectSerializer(serializers.Serializer[Any]):
    """A client and its server; ProviderIDs are those of ConnectAsync."""

    name = serializers.CharField(max_length=40, help_text="the client's name")
    client_url = serializers.CharField(
        default="",
        max_length=500,
        help_text="address of a Resco Cloud organization hosted elsewhere; empty: hosted here",
    )
    client_user_name = serializers.CharField(
        default="",
        max_length=254,
        help_text="user there, or first administrator of a new organization here",
    )
    client_password = serializers.CharField(
        default="", max_length=1000, write_only=True, trim_whitespace=False
    )
    provider_id = serializers.CharField(max_length=60)
    url = serializers.CharField(max_length=500)
    user_name = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=20000, write_only=True, trim_whitespace=False)
    entities = serializers.ListField(
        child=serializers.CharField(max_length=128), required=False, help_text="logical names"
    )
    write_offline = serializers.BooleanField(required=False)
    names = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField(max_length=128)),
        required=False,
        help_text="entity → server attribute → client attribute, of those that differ; none: "
        "suggested",
    )


class StartUpdateSerializer(serializers.Serializer[Any]):
    """How Update Server shall read."""

    full = serializers.BooleanField(
        default=False, help_text="read also what the server says did not change"
    )
