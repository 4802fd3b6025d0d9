"""Application configuration."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """How organizations are reached."""

    name = "connections"
    verbose_name = "Resco CRM Sync"
    default_auto_field = "django.db.models.BigAutoField"
