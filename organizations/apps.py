"""Application configuration."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """Hosted organizations."""

    name = "organizations"
    default_auto_field = "django.db.models.BigAutoField"
