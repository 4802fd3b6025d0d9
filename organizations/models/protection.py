"""What makes a twin as strict, and as unreliable, as a service far away: limits and faults."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from organizations.models.organization import Organization


class TwinLimits(models.Model):
    """Service protection limits of a twin, each per user; a twin without a row has the defaults.

    The defaults are the documented ones (dataverse.md 5). `dop_hint` is how many requests at once
    the twin recommends.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="limits")
    is_on = models.BooleanField("Limits", default=True)
    requests = models.PositiveIntegerField(
        "Requests", default=6000, validators=[MinValueValidator(1)]
    )
    window_seconds = models.PositiveIntegerField(
        "Window (seconds)",
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
    )
    execution_seconds = models.PositiveIntegerField(
        "Execution time (seconds)", default=1200, validators=[MinValueValidator(1)]
    )
    concurrent = models.PositiveIntegerField(
        "Requests at once", default=52, validators=[MinValueValidator(1)]
    )
    dop_hint = models.PositiveSmallIntegerField(
        "Recommended at once", default=4, validators=[MinValueValidator(1)]
    )
    page_size = models.PositiveIntegerField(
        "Records in a page",
        default=5000,
        validators=[MinValueValidator(1), MaxValueValidator(5000)],
    )

    def __str__(self) -> str:
        """Return the limits in short."""
        return f"{self.requests} in {self.window_seconds} s, {self.concurrent} at once"


class RequestKind(models.TextChoices):
    """What a request to a twin is about; the number of operations in a batch does not matter."""

    READ = "read", "reading records"
    WRITE = "write", "writing records"
    BATCH = "batch", "batches"
    METADATA = "metadata", "metadata"
    TOKEN = "token", "tokens"


class TwinFault(models.Model):
    """Something that goes wrong with a twin's answers while it is switched on.

    Each of the next `count` requests (null: all) of the `requests` kinds is struck with
    `probability`. Which ones follows from `seed` and their order alone: `seen` counts them.
    `milliseconds` and `jitter` belong to latency, `burst` and `after` to throttling.
    """

    class Kind(models.TextChoices):
        """What goes wrong."""

        LATENCY = "latency", "Latency"
        THROTTLED = "throttled", "429 bursts"
        UNAVAILABLE = "unavailable", "503 Service Unavailable"
        BAD_GATEWAY = "bad_gateway", "502 Bad Gateway"
        DROPPED = "dropped", "Dropped connections"
        TRUNCATED = "truncated", "Truncated bodies"
        INVALID_JSON = "invalid_json", "Invalid JSON"
        LOST_RESPONSE = "lost_response", "Lost responses"
        EXPIRED_DELTA = "expired_delta", "Expired delta tokens"
        REVOKED = "revoked", "Revoked access tokens"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="faults")
    kind = models.CharField(max_length=16, choices=Kind)
    is_on = models.BooleanField(default=True)
    probability = models.FloatField(
        default=1.0, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    count = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    seed = models.PositiveIntegerField(default=1)
    requests = models.JSONField(default=list)
    milliseconds = models.PositiveIntegerField(default=500, validators=[MaxValueValidator(60_000)])
    jitter = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(60_000)])
    burst = models.PositiveIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    after = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    seen = models.PositiveBigIntegerField(default=0, editable=False)
    struck = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        """A fault stands once in a twin."""

        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("organization", "kind"), name="fault_once")]

    def __str__(self) -> str:
        """Return what goes wrong."""
        return self.get_kind_display()
