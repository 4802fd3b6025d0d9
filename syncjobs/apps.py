"""Application configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SyncJobsConfig(AppConfig):
    """Moving data between organizations."""

    name = "syncjobs"
    verbose_name = "Resco CRM Sync"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Begin to listen to changes of organizations, in every process."""
        autodiscover_modules("instant", "hooks")
