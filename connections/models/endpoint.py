"""How one organization is reached."""

from __future__ import annotations

import uuid

from django.db import models

from connections.logins import LoginKind
from organizations.models import Organization


class Endpoint(models.Model):
    """Back end, URL, user name and sealed password or secret of one organization.

    A hosted organization has no URL: `organization` is set instead. `organization_id_seen` is
    the organization id that WhoAmI gave when the connection was made; another one later means
    another organization (design 5.1.9). `login_kind` says what the sealed secret is; `authority`
    is a token authority that a person has confirmed for it.
    """

    class Backend(models.TextChoices):
        """Kind of endpoint."""

        DYNAMICS = "dynamics", "Dynamics CRM"
        RESCO_CLOUD = "resco_cloud", "Resco Cloud"
        HOSTED = "hosted", "Resco Cloud (hosted here)"
        MEMORY = "memory", "In memory (tests)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    backend = models.CharField(max_length=20, choices=Backend)
    url = models.CharField(max_length=500, blank=True)
    user_name = models.CharField(max_length=254, blank=True)
    login_kind = models.CharField(max_length=12, choices=LoginKind, default=LoginKind.SECRET)
    sealed_secret = models.TextField(blank=True, editable=False)
    authority = models.CharField(max_length=500, blank=True, editable=False)
    bypass_logic = models.CharField(
        max_length=60,
        blank=True,
        help_text="Custom logic of the server that our writes leave out, for example "
        "CustomSync,CustomAsync. The user needs prvBypassCustomBusinessLogic.",
    )
    is_quiet = models.BooleanField(
        default=False, help_text="Our writes start no Power Automate flows on the server."
    )
    is_atomic = models.BooleanField(
        default=False,
        help_text="Resco Cloud: the organization checks the version of what we change, by OData.",
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="endpoints"
    )
    organization_id_seen = models.CharField(max_length=36, blank=True, editable=False)
    organization_name_seen = models.CharField(max_length=160, blank=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return the organization's name, or where it is."""
        if self.organization is not None:
            return str(self.organization)
        return self.organization_name_seen or self.url
