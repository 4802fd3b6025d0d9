"""Application configuration."""

from django.apps import AppConfig


class SyncJobsConfig(AppConfig):
    """Moving data between organizations."""

    name = "syncjobs"
    default_auto_field = "django.db.models.BigAutoField"
