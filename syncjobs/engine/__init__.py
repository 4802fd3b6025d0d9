"""The engine: pure Python that moves records between two connectors. No Django, no Celery, no HTTP."""
