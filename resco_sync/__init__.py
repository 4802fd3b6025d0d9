"""Wiring: settings, urls, the Celery app and the embedded services."""

import warnings

# A package of the embedded services looks for a folder that we do not use.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
