"""Organization, the people who may sign in to it, and the applications of a twin."""

from __future__ import annotations

import re
import uuid

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

RESERVED_NAMES = frozenset(
    {"admin", "api", "connect", "default", "public", "register", "rest", "root", "system", "www"}
)
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}\Z")


def validate_name(name: str) -> None:
    """Accept 2 to 40 lower-case letters, digits and hyphens that start with a letter."""
    if not _NAME.match(name):
        raise ValidationError(
            "An organization's name has 2 to 40 lower-case letters, digits and hyphens "
            "and starts with a letter."
        )
    if name in RESERVED_NAMES:
        raise ValidationError(f"The name '{name}' is reserved. Choose another.")


class Organization(models.Model):
    """A tenant hosted here: its metadata, its records, its members.

    `row_version` is the last version given out; it is only moved under a lock of this row, so
    versions commit in order. `schema_version` grows with every change of metadata.
    """

    class Kind(models.TextChoices):
        """What the organization is for."""

        CLIENT = "client", "Resco Cloud organization"
        DYNAMICS_TWIN = "dynamics", "Dynamics twin"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40, unique=True, validators=[validate_name])
    display_name = models.CharField(max_length=160, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CLIENT)
    language = models.PositiveIntegerField(default=1033, help_text="LCID of the base language")
    languages = models.JSONField(default=list, help_text="LCIDs of all languages")
    row_version = models.BigIntegerField(default=0, editable=False)
    schema_version = models.BigIntegerField(default=0, editable=False)
    change_tracking_days = models.PositiveSmallIntegerField(
        default=7, help_text="days that a twin's delta links stay valid"
    )
    metadata_stamp_days = models.PositiveSmallIntegerField(
        default=90, help_text="days that a twin's metadata version stamps stay valid"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Organizations are listed by name."""

        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name people see."""
        return self.display_name or self.name

    @property
    def schema(self) -> str:
        """Name of the PostgreSQL schema that holds its records."""
        return f"org_{self.name}"


class Member(models.Model):
    """A user of one organization, named by e-mail; not an administrator of this installation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="members")
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=64, blank=True)
    last_name = models.CharField(max_length=64, blank=True)
    company = models.CharField(max_length=160, blank=True)
    job_title = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    country = models.CharField(max_length=80, blank=True)
    password = models.CharField(max_length=256, editable=False)
    is_administrator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """An e-mail address is used once in an organization, in any letter case."""

        ordering = ("email",)
        constraints = [
            models.UniqueConstraint("organization", Lower("email"), name="member_email_once")
        ]

    def __str__(self) -> str:
        """Return the user name."""
        return self.email

    def set_password(self, password: str) -> None:
        """Keep a hash of the password."""
        self.password = make_password(password)

    def check_password(self, password: str) -> bool:
        """Return whether that is the password."""
        return check_password(password, self.password)


class Application(models.Model):
    """An application user of a Dynamics twin: client id and hashed secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, help_text="client id")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="applications")
    name = models.CharField(max_length=160)
    secret = models.CharField(max_length=256, editable=False)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def set_secret(self, secret: str) -> None:
        """Keep a hash of the secret."""
        self.secret = make_password(secret)

    def check_secret(self, secret: str) -> bool:
        """Return whether that is the secret."""
        return check_password(secret, self.secret)
