"""The ledger of requests to an endpoint, and how much of its allowance we may use."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from connections.models.endpoint import Endpoint


class RequestHour(models.Model):
    """What was used of an endpoint within one hour: `hour` is its beginning, in UTC.

    `throttled`: answers "too many requests". `waited`: seconds for which requests were held back,
    those of several at once added. `received`: bytes of bodies as they came.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="request_hours")
    hour = models.DateTimeField()
    requests = models.PositiveBigIntegerField(default=0)
    throttled = models.PositiveBigIntegerField(default=0)
    waited = models.FloatField(default=0)
    received = models.PositiveBigIntegerField(default=0)

    class Meta:
        """An hour stands once for an endpoint; the latest comes first."""

        ordering = ("-hour",)
        constraints = [
            models.UniqueConstraint(fields=("endpoint", "hour"), name="request_hour_once")
        ]

    def __str__(self) -> str:
        """Return the hour."""
        return f"{self.hour:%Y-%m-%d %H:00}"


class RequestCap(models.Model):
    """The part of an endpoint's allowance that we may use on some days at some hours.

    `days`: digits of the days, 0 for Monday. It holds from `from_hour` until before `until_hour`
    in `zone`, an IANA name.
    """

    endpoint = models.OneToOneField(Endpoint, models.CASCADE, related_name="request_cap")
    percent = models.PositiveSmallIntegerField(
        validators=(MinValueValidator(1), MaxValueValidator(100))
    )
    days = models.CharField(max_length=7, default="01234")
    from_hour = models.PositiveSmallIntegerField(default=8, validators=(MaxValueValidator(23),))
    until_hour = models.PositiveSmallIntegerField(
        default=18, validators=(MinValueValidator(1), MaxValueValidator(24))
    )
    zone = models.CharField(max_length=64, default="UTC")

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{self.percent} % from {self.from_hour} to {self.until_hour} ({self.zone})"
