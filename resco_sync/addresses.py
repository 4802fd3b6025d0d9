"""DATABASE_URL and REDIS_URL in the forms that Django, redis-py and Celery want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from django.core.exceptions import ImproperlyConfigured

from resco_sync.environment import split_url

POSTGRES_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+socket")


def database(url: str) -> dict[str, Any]:
    """Return Django's database settings for a PostgreSQL URL.

    The host may be a name, an address, a folder with a unix socket percent-encoded in the host's
    place, or `?host=`, as libpq has it. Other parameters (`sslmode`, `application_name`…) are
    handed to libpq.
    """
    parts = split_url("DATABASE_URL", url, POSTGRES_SCHEMES)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = {
        "NAME": unquote(parts.path.removeprefix("/")) or options.pop("dbname", ""),
        "USER": unquote(parts.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(parts.password or "") or options.pop("password", ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": str(parts.port or "") or options.pop("port", ""),
    }
    if not given["NAME"]:
        raise ImproperlyConfigured(
            "DATABASE_URL names no database; write postgresql://user@host/database."
        )
    return {"ENGINE": "django.db.backends.postgresql", **given, "OPTIONS": options}


@dataclass(frozen=True)
class RedisAddress:
    """One Redis (or Valkey) database, as redis-py (`cache`) and kombu (`broker`) write it."""

    cache: str
    broker: str


def redis(url: str) -> RedisAddress:
    """Return both forms of a Redis URL.

    `redis://` and `rediss://` mean the same to both. A unix socket is `unix:///path?db=0` to
    redis-py and `redis+socket:///path?virtual_host=0` to kombu; either is accepted.
    """
    parts = split_url("REDIS_URL", url, REDIS_SCHEMES)
    if parts.scheme in ("redis", "rediss"):
        if not parts.hostname:
            raise ImproperlyConfigured("REDIS_URL names no host; write redis://host:6379/0.")
        return RedisAddress(cache=url, broker=url)
    options = dict(parse_qsl(parts.query))
    number = options.get("db") or options.get("virtual_host") or "0"
    if parts.netloc.rpartition("@")[2] or not parts.path.startswith("/") or not number.isdigit():
        raise ImproperlyConfigured(
            "REDIS_URL names no socket; write unix:///folder/file.sock?db=0, with three slashes."
        )
    login = parts.netloc
    path = quote(unquote(parts.path))
    return RedisAddress(
        cache=f"unix://{login}{path}?db={number}",
        broker=f"redis+socket://{login}{path}?virtual_host={number}",
    )
