"""Application configuration."""

from django.apps import AppConfig


class SyncJobsConfig(AppConfig):
    """Moving data between organizations."""

    name = "syncjobs"
    verbose_name = "Resco CRM Sync"
    default_auto_field = "django.db.models.BigAutoField"
