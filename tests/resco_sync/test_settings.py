"""The settings of a fresh process, for each kind of environment."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from resco_sync.environment import BASE_DIR

VARIABLES = (
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "EMAIL_HOST",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_HOST_USER",
    "PORT",
    "REDIS_URL",
    "RESCO_SYNC_ALERT_EMAIL",
    "RESCO_SYNC_ALERT_WEBHOOK",
    "RESCO_SYNC_DEMO",
    "RESCO_SYNC_EGRESS_ALLOW",
    "RESCO_SYNC_REGISTRATION",
    "RESCO_SYNC_SECRET_KEYS",
    "SECRET_KEY",
)
SECRETS = {"SECRET_KEY": "s" * 20, "RESCO_SYNC_SECRET_KEYS": "k" * 20}
DATABASE = {"DATABASE_URL": "postgresql://nobody@nowhere.invalid/none"}
CLUSTER = {**SECRETS, **DATABASE, "REDIS_URL": "redis://nowhere.invalid"}
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Read the settings anew, in an environment that has only the variables given."""

    def run(**values: str) -> dict[str, Any]:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"RESCO_SYNC_VAR": str(tmp_path), **values}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(BASE_DIR / "resco_sync" / "settings.py"))

    return run


def test_it_needs_nothing_in_the_default_set_up(read: Read) -> None:
    found = read()
    assert found["DEFAULT_SETUP"] is True
    assert found["RESCO_SYNC_EGRESS_ALLOW"] == ["127.0.0.1:8000"]
    assert found["RESCO_SYNC_REGISTRATION"] == "invite"
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert len(found["RESCO_SYNC_SECRET_KEYS"]) == 1
    assert found["SECRET_KEY"] not in found["RESCO_SYNC_SECRET_KEYS"]
    again = read()
    assert again["SECRET_KEY"] == found["SECRET_KEY"]
    assert again["RESCO_SYNC_SECRET_KEYS"] == found["RESCO_SYNC_SECRET_KEYS"]


def test_it_starts_no_service_by_being_read(read: Read, tmp_path: Path) -> None:
    read()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret_key", "secret_keys"]


def test_it_makes_no_secret_for_a_database_of_others(read: Read, tmp_path: Path) -> None:
    found = read(**CLUSTER)
    assert found["RESCO_SYNC_SECRET_KEYS"] == ["k" * 20]
    assert list(tmp_path.iterdir()) == []


def test_it_allows_no_private_address_unless_told(read: Read, tmp_path: Path) -> None:
    assert read(**CLUSTER)["RESCO_SYNC_EGRESS_ALLOW"] == []
    assert read(RESCO_SYNC_EGRESS_ALLOW="")["RESCO_SYNC_EGRESS_ALLOW"] == []
    told = read(RESCO_SYNC_EGRESS_ALLOW="10.0.0.0/8, crm.lan:444")
    assert told["RESCO_SYNC_EGRESS_ALLOW"] == ["10.0.0.0/8", "crm.lan:444"]


def test_it_allows_its_own_address_at_another_port(read: Read, tmp_path: Path) -> None:
    assert read(PORT="8123")["RESCO_SYNC_EGRESS_ALLOW"] == ["127.0.0.1:8123"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (DATABASE, "RESCO_SYNC_SECRET_KEYS is not set."),
        ({**DATABASE, "RESCO_SYNC_SECRET_KEYS": "k" * 20}, "SECRET_KEY is not set."),
        ({"PORT": "http"}, "PORT is 'http'; it must be a whole number, 1 to 65535."),
        ({"PORT": "0"}, "PORT is '0'; it must be a whole number, 1 to 65535."),
        (
            {"RESCO_SYNC_REGISTRATION": "yes"},
            "RESCO_SYNC_REGISTRATION is 'yes'; it must be one of: closed, invite, open.",
        ),
        ({"RESCO_SYNC_DEMO": "no thanks"}, "RESCO_SYNC_DEMO is 'no thanks'; it must be 1 or 0"),
        ({"RESCO_SYNC_EGRESS_ALLOW": "a,,b"}, "RESCO_SYNC_EGRESS_ALLOW has an empty part;"),
        ({"ALLOWED_HOSTS": ","}, "ALLOWED_HOSTS has an empty part;"),
        ({"RESCO_SYNC_SECRET_KEYS": "short"}, "RESCO_SYNC_SECRET_KEYS has a key of fewer than"),
        ({**SECRETS, "DATABASE_URL": "sqlite:///x"}, "DATABASE_URL starts with sqlite;"),
        ({"REDIS_URL": "memory://"}, "REDIS_URL starts with memory;"),
    ],
)
def test_it_stops_at_a_wrong_value(read: Read, values: dict[str, str], message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(**values)
    assert str(caught.value).startswith(message)


def test_it_answers_on_the_command_line_with_the_sentence_alone(read: Read, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, "PORT": "http"},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "PORT is 'http'; it must be a whole number, 1 to 65535.\n"


def test_it_can_send_alerts(read: Read) -> None:
    found = read(
        RESCO_SYNC_ALERT_EMAIL="ops@example.com",
        RESCO_SYNC_ALERT_WEBHOOK="https://hooks.example.com/x",
        EMAIL_HOST="mail.example.com",
        EMAIL_HOST_USER="sync",
        EMAIL_HOST_PASSWORD="secret",
    )
    assert found["RESCO_SYNC_ALERT_EMAIL"] == ["ops@example.com"]
    assert found["RESCO_SYNC_ALERT_WEBHOOK"] == "https://hooks.example.com/x"
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("sync", "secret")


def test_alerts_by_mail_need_a_server(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_HOST is not; name the server"):
        read(RESCO_SYNC_ALERT_EMAIL="ops@example.com")
