"""Application configuration."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """How organizations are reached."""

    name = "connections"
    default_auto_field = "django.db.models.BigAutoField"
