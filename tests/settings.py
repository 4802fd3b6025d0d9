"""The product's settings, with what would make tests slow or let them disturb each other changed.

`prepare` must run before the settings are imported, since they read the environment.
"""

from tests import environment

environment.prepare()

from resco_sync.settings import *  # noqa: E402, F403

# A real password hash takes longer than most tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
# Nothing reads a queue here; tests that want a worker start one, which reads the real broker.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
