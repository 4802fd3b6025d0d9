"""Sealing, opening and rotating secrets."""

from __future__ import annotations

import base64
import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django import Settings

from connections import secrets
from connections.errors import Refused
from connections.models import Endpoint


def make_key(byte: int) -> str:
    return f"{byte} is a long enough text"


def make_endpoint(secret: str = "pa55 ✓") -> Endpoint:
    endpoint = Endpoint(backend="dynamics", url="https://a.example", user_name="joe")
    secrets.set_secret(endpoint, secret)
    endpoint.save()
    return endpoint


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.RESCO_SYNC_SECRET_KEYS = [make_key(1)]


def test_it_opens_what_it_sealed_and_never_seals_twice_alike() -> None:
    row = uuid4()
    first, second = secrets.seal("pa55 ✓", row), secrets.seal("pa55 ✓", row)
    assert secrets.open_(first, row) == secrets.open_(second, str(row)) == "pa55 ✓"
    assert first != second
    assert "pa55" not in first


def test_it_keeps_nothing_for_an_empty_secret() -> None:
    assert secrets.seal("", uuid4()) == ""
    assert secrets.open_("", uuid4()) == ""


def test_it_does_not_open_a_text_copied_from_another_row() -> None:
    sealed = secrets.seal("secret", uuid4())
    with pytest.raises(Refused, match="does not belong to this endpoint"):
        secrets.open_(sealed, uuid4())


@pytest.mark.parametrize("damage", ["x", "1.abc", "1.00000000.!!!", "2.aa.bb", "1.a.b.c"])
def test_it_says_that_a_text_is_damaged(damage: str) -> None:
    with pytest.raises(Refused, match=r"damaged|was sealed with key"):
        secrets.open_(damage, uuid4())


def test_it_does_not_open_a_truncated_text() -> None:
    row = uuid4()
    head, key_id, body = secrets.seal("secret", row).split(".")
    short = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body)[:-1]).decode()
    with pytest.raises(Refused, match="was damaged"):
        secrets.open_(f"{head}.{key_id}.{short}", row)


def test_it_names_a_key_that_is_gone(settings: Settings) -> None:
    row = uuid4()
    sealed = secrets.seal("secret", row)
    settings.RESCO_SYNC_SECRET_KEYS = [make_key(2)]
    with pytest.raises(Refused, match=sealed.split(".")[1]):
        secrets.open_(sealed, row)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "RESCO_SYNC_SECRET_KEYS is empty"),
        ([""], "RESCO_SYNC_SECRET_KEYS is empty"),
        ([make_key(1), "short"], "key 2 has 5 characters"),
    ],
)
def test_it_does_not_work_without_good_keys(
    settings: Settings, keys: list[str], message: str
) -> None:
    settings.RESCO_SYNC_SECRET_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match=message):
        secrets.check_keys()


@pytest.mark.django_db
def test_it_rotates_to_the_first_key(settings: Settings) -> None:
    endpoint = make_endpoint()
    Endpoint.objects.create(backend="dynamics", url="https://b.example")
    settings.RESCO_SYNC_SECRET_KEYS = [make_key(2), make_key(1)]
    out = StringIO()
    call_command("rotate_secrets", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"sealed": 1, "current": 0}
    assert secrets.rotate() == {"sealed": 0, "current": 1}
    settings.RESCO_SYNC_SECRET_KEYS = [make_key(2)]
    endpoint.refresh_from_db()
    assert secrets.open_(endpoint.sealed_secret, endpoint.pk) == "pa55 ✓"


@pytest.mark.django_db
def test_it_says_in_words_what_it_rotated() -> None:
    make_endpoint()
    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    assert out.getvalue() == "0 secrets sealed anew, 1 had the first key.\n"


@pytest.mark.django_db
def test_the_command_fails_when_a_secret_cannot_be_opened(settings: Settings) -> None:
    make_endpoint()
    settings.RESCO_SYNC_SECRET_KEYS = [make_key(3)]
    with pytest.raises(CommandError, match="not among RESCO_SYNC_SECRET_KEYS"):
        call_command("rotate_secrets")


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["backend", "url", "user_name"])
def test_it_drops_the_secret_when_what_it_belongs_to_changes(field: str) -> None:
    endpoint = make_endpoint()
    assert not secrets.keep_secret_bound(endpoint)
    setattr(endpoint, field, "other")
    assert secrets.keep_secret_bound(endpoint)
    assert endpoint.sealed_secret == ""
    assert not secrets.keep_secret_bound(endpoint)


@pytest.mark.django_db
def test_it_leaves_a_new_endpoint_alone() -> None:
    endpoint = Endpoint(backend="dynamics", url="https://a.example")
    secrets.set_secret(endpoint, "s")
    assert not secrets.keep_secret_bound(endpoint)
    assert secrets.open_(endpoint.sealed_secret, endpoint.pk) == "s"
