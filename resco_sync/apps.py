"""Application configuration; it makes tasks find their Celery app."""

from __future__ import annotations

from django.apps import AppConfig

from resco_sync.celery import app as celery_app


class RescoSyncConfig(AppConfig):
    """Wiring: commands and pages that belong to the whole product."""

    name = "resco_sync"
    verbose_name = "Resco CRM Sync"
    celery_app = celery_app
