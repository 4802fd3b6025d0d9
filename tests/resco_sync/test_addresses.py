"""DATABASE_URL and REDIS_URL in every form that people write."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from resco_sync import addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://me:p%40ss@db.example:6432/sync?sslmode=require",
            {
                "NAME": "sync",
                "USER": "me",
                "PASSWORD": "p@ss",
                "HOST": "db.example",
                "PORT": "6432",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgres:///sync?host=/run/pg&user=me",
            {"NAME": "sync", "HOST": "/run/pg", "USER": "me"},
        ),
        ("postgresql://me@%2Frun%2Fpg/sync", {"NAME": "sync", "HOST": "/run/pg", "USER": "me"}),
        (
            "postgresql://postgres@/sync?host=/run/pg&port=5433",
            {"NAME": "sync", "HOST": "/run/pg", "PORT": "5433", "OPTIONS": {}},
        ),
        ("postgresql://[::1]:5432/sync", {"HOST": "::1", "PORT": "5432"}),
    ],
)
def test_it_reads_a_database_url(url: str, expected: dict[str, Any]) -> None:
    found = addresses.database(url)
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "cache", "broker"),
    [
        ("redis://host:6379/2", "redis://host:6379/2", "redis://host:6379/2"),
        ("rediss://u:p@host/0", "rediss://u:p@host/0", "rediss://u:p@host/0"),
        (
            "redis+socket:///run/s.sock?virtual_host=3",
            "unix:///run/s.sock?db=3",
            "redis+socket:///run/s.sock?virtual_host=3",
        ),
        (
            "unix:///run/s.sock",
            "unix:///run/s.sock?db=0",
            "redis+socket:///run/s.sock?virtual_host=0",
        ),
        (
            "unix://u:p@/run/s.sock?db=1",
            "unix://u:p@/run/s.sock?db=1",
            "redis+socket://u:p@/run/s.sock?virtual_host=1",
        ),
    ],
)
def test_it_writes_a_redis_url_for_both_clients(url: str, cache: str, broker: str) -> None:
    assert addresses.redis(url) == addresses.RedisAddress(cache=cache, broker=broker)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:sesame@h/d", "DATABASE_URL starts with mysql; it must start with one of: "),
        ("/var/db", "DATABASE_URL starts with no scheme; "),
        ("postgresql://u:sesame@h/", "DATABASE_URL names no database; write postgresql://user@"),
        ("postgresql://u:sesame@h:port/d", "DATABASE_URL is not a URL: "),
    ],
)
def test_it_names_database_url_and_hides_its_password(url: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        addresses.database(url)
    assert str(caught.value).startswith(message)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("amqp://u:sesame@h", "REDIS_URL starts with amqp; it must start with one of: redis://, "),
        ("redis:///0", "REDIS_URL names no host; write redis://host:6379/0."),
        ("unix://run/s.sock", "REDIS_URL names no socket; write unix:///folder/file.sock?db=0"),
        ("redis+socket:///s?virtual_host=x", "REDIS_URL names no socket; "),
    ],
)
def test_it_names_redis_url_and_hides_its_password(url: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        addresses.redis(url)
    assert str(caught.value).startswith(message)
    assert "sesame" not in str(caught.value)
