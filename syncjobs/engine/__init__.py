"""The engine: pure Python between two connectors; no Django, no Celery, no HTTP."""
