"""The web application, for gunicorn."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from resco_sync import services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resco_sync.settings")
services.ensure()
application = get_wsgi_application()
