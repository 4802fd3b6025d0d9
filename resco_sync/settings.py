"""All settings of the product, from the environment only; a wrong value stops the start."""

from __future__ import annotations

import tomllib
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from resco_sync import addresses, services
from resco_sync.environment import (
    BASE_DIR,
    envbool,
    envchoice,
    envemails,
    envint,
    envlist,
    envsecret,
    envsecrets,
    envtext,
    envurl,
    var_dir,
)
from resco_sync.unfold import UNFOLD as UNFOLD

# lets Django's generic classes be written with their types
django_stubs_ext.monkeypatch()

VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]["version"]

# The installation ---------------------------------------------------------------------------

VAR = var_dir()
PORT = envint("PORT", 8000, low=1, high=65535)
DEFAULT_SETUP = services.is_default_setup()
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
_OWN_ADDRESS = [f"127.0.0.1:{PORT}"] if DEFAULT_SETUP else []

RESCO_SYNC_REGISTRATION = envchoice(
    "RESCO_SYNC_REGISTRATION", "invite", ("closed", "invite", "open")
)
RESCO_SYNC_REGISTRATION_KEY = envtext("RESCO_SYNC_REGISTRATION_KEY", "")
RESCO_SYNC_DYNAMICS_CLIENT_ID = envtext("RESCO_SYNC_DYNAMICS_CLIENT_ID", "")
RESCO_SYNC_DYNAMICS_CLIENT_SECRET = envtext("RESCO_SYNC_DYNAMICS_CLIENT_SECRET", "")
RESCO_SYNC_EGRESS_ALLOW = envlist("RESCO_SYNC_EGRESS_ALLOW", _OWN_ADDRESS)
RESCO_SYNC_ORGANIZATION_HOST = envtext("RESCO_SYNC_ORGANIZATION_HOST", "").lower()
RESCO_SYNC_PUBLIC_URL = envurl("RESCO_SYNC_PUBLIC_URL", ("https", "http"))
RESCO_SYNC_DEMO = envbool("RESCO_SYNC_DEMO", True)
RESCO_SYNC_SECRET_KEYS = envsecrets(
    "RESCO_SYNC_SECRET_KEYS", keep=VAR / "secret_keys" if DEFAULT_SETUP else None
)
SECRET_KEY = envsecret("SECRET_KEY", keep=VAR / "secret_key" if DEFAULT_SETUP else None)

# Telling people ------------------------------------------------------------------------------

RESCO_SYNC_ALERT_EMAIL = envemails("RESCO_SYNC_ALERT_EMAIL")
RESCO_SYNC_ALERT_WEBHOOK = envurl("RESCO_SYNC_ALERT_WEBHOOK", ("https", "http"))
EMAIL_HOST = envtext("EMAIL_HOST", "")
EMAIL_PORT = envint("EMAIL_PORT", 587, low=1, high=65535)
EMAIL_USE_TLS = envbool("EMAIL_USE_TLS", True)
EMAIL_HOST_USER = envtext("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = envsecret("EMAIL_HOST_PASSWORD") if EMAIL_HOST_USER else ""
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = envtext("EMAIL_FROM", "resco-crm-sync@localhost")
if RESCO_SYNC_ALERT_EMAIL and not EMAIL_HOST:
    raise ImproperlyConfigured(
        "RESCO_SYNC_ALERT_EMAIL is set and EMAIL_HOST is not; name the server that takes the mail, "
        "or clear RESCO_SYNC_ALERT_EMAIL."
    )

# Databases ----------------------------------------------------------------------------------

_layout = services.find_layout()
DATABASES: dict[str, dict[str, Any]] = {
    "default": addresses.database(envtext("DATABASE_URL", _layout.database_url))
    | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
}
DATABASES["default"]["OPTIONS"].setdefault("application_name", "resco-crm-sync")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_redis = addresses.redis(envtext("REDIS_URL", _layout.redis_url))
# Installations that share a Redis must not meet in it.
_redis_prefix = f"resco-sync:{DATABASES['default']['NAME']}:"
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis.cache,
        "KEY_PREFIX": f"{_redis_prefix}cache",
    }
}

# Celery only wakes workers; what is to be done stands in the database -------------------------

CELERY_BROKER_URL = _redis.broker
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": _redis_prefix,
    # kombu's own values find a killed worker's tasks only after a minute and a half
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 2,
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "runs"
# Periodic tasks and deliveries have a queue, and under `serve` a worker, of their own: runs may
# take hours.
# Each with a key of its own: queues that share one get copies of each other's tasks.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("runs", "clock", "deliveries")]
CELERY_TASK_ROUTES = {
    "syncjobs.tasks.tick": {"queue": "clock"},
    "syncjobs.tasks.retain": {"queue": "clock"},
    "syncjobs.tasks.watch": {"queue": "clock"},
    "syncjobs.tasks.deliver": {"queue": "deliveries"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")

# Django ---------------------------------------------------------------------------------------

DEBUG = False
ALLOWED_HOSTS = envlist("ALLOWED_HOSTS", LOOPBACK)
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
ROOT_URLCONF = "resco_sync.urls"
WSGI_APPLICATION = "resco_sync.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "organizations",
    "connections",
    "syncjobs",
    "resco_sync",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "resco_sync.middleware.ContentSecurityPolicyMiddleware",
    "organizations.dynamics.protection_middleware.TwinMiddleware",
    "syncjobs.sync_state.SyncStateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # served from the packages; nothing to collect

# Guards ---------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        # the admin theme evaluates the expressions in its pages' attributes
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

# The JSON API ---------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Resco CRM Sync",
    "DESCRIPTION": "Connections, jobs and runs of this installation.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "AlertKind": "syncjobs.models.Alert.Kind",
        "ConnectionState": "connections.models.Connection.State",
        "DifferenceKind": "syncjobs.models.Difference.Kind",
        "JobStep": "syncjobs.models.SyncJob.Step",
        "RunKind": "syncjobs.models.Run.Kind",
        "RunState": "syncjobs.models.Run.State",
        "RunEntityState": "syncjobs.models.RunEntity.State",
        "ImageAction": ("create", "update", "delete"),
        "RecipeStep": ("retry", "copy_parents", "decide"),
        "Side": ("server", "client"),
        "TransactionAction": "syncjobs.models.OfflineTransaction.Action",
        "TransactionStatus": "syncjobs.models.OfflineTransaction.Status",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Logs go to standard error; no bodies, no tokens -----------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},  # a client's mistake is the client's to see
        "msal": {"level": "INFO"},  # below that it shows codes and verifiers
        "spnego": {"level": "INFO"},  # below that it shows what it sends
        **{
            name: {"level": "INFO"}
            for name in ("resco_sync", "organizations", "connections", "syncjobs")
        },
    },
}
