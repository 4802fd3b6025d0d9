"""Wiring: settings, urls, the Celery app and the embedded services."""
