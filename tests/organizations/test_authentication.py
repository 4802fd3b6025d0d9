"""The one throttled authenticator of hosted organizations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.test import override_settings

from organizations import authentication
from organizations.authentication import AuthenticationFailed, Throttled
from organizations.models import Application, Member, Organization

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
IN_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
HERE = "192.0.2.1"


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    with override_settings(CACHES=IN_MEMORY):
        cache.clear()
        yield
        cache.clear()


def make_organization(name: str = "field") -> Organization:
    return Organization.objects.create(name=name)


def make_member(organization: Organization, email: str = "anna@example.org") -> Member:
    member = Member(organization=organization, email=email)
    member.set_password(PASSWORD)
    member.save()
    return member


def make_application(organization: Organization) -> Application:
    application = Application(organization=organization, name="sync")
    application.set_secret(PASSWORD)
    application.save()
    return application


def test_it_returns_the_member_whose_password_it_is() -> None:
    member = make_member(make_organization())
    assert authentication.member("field", "ANNA@example.org", PASSWORD, HERE) == member


def test_it_returns_the_application_whose_secret_it_is() -> None:
    organization = make_organization()
    application = make_application(organization)
    found = authentication.application(organization, str(application.pk).upper(), PASSWORD, HERE)
    assert found == application


def test_an_application_belongs_to_its_own_organization() -> None:
    application = make_application(make_organization())
    with pytest.raises(AuthenticationFailed):
        authentication.application(make_organization("other"), str(application.pk), PASSWORD, HERE)


@pytest.mark.parametrize(
    ("organization", "email", "password"),
    [
        ("field", "anna@example.org", "wrong"),
        ("field", "nobody@example.org", PASSWORD),
        ("nowhere", "anna@example.org", PASSWORD),
        ("field", "anna@example.org", ""),
    ],
)
def test_unknown_and_wrong_get_the_same_answer(
    organization: str, email: str, password: str
) -> None:
    make_member(make_organization())
    with pytest.raises(AuthenticationFailed) as raised:
        authentication.member(organization, email, password, HERE)
    assert str(raised.value) == "The user name or the password is not right."


@pytest.mark.parametrize("client_id", ["", "not-a-guid", "5f0e1a52-7c1d-4b7e-9a3f-0d7c2b1e4a90"])
def test_an_unknown_client_id_is_refused(client_id: str) -> None:
    organization = make_organization()
    make_application(organization)
    with pytest.raises(AuthenticationFailed):
        authentication.application(organization, client_id, PASSWORD, HERE)


def test_a_verified_login_is_not_hashed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member(make_organization())
    authentication.member("field", member.email, PASSWORD, HERE)
    monkeypatch.setattr(Member, "check_password", lambda *_: pytest.fail("hashed again"))
    assert authentication.member("field", member.email, PASSWORD, HERE) == member


def test_a_changed_password_ends_the_memory_of_the_old_one() -> None:
    member = make_member(make_organization())
    authentication.member("field", member.email, PASSWORD, HERE)
    member.set_password("another one")
    member.save()
    with pytest.raises(AuthenticationFailed):
        authentication.member("field", member.email, PASSWORD, HERE)


def test_an_inactive_member_is_refused_although_remembered() -> None:
    member = make_member(make_organization())
    authentication.member("field", member.email, PASSWORD, HERE)
    Member.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed):
        authentication.member("field", member.email, PASSWORD, HERE)


@pytest.mark.parametrize("kind", ["address", "name", "target"])
def test_too_many_failures_close_the_door(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(authentication.LIMITS, kind, 2)
    make_member(make_organization())
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            authentication.member("field", "anna@example.org", "wrong", HERE)
    with pytest.raises(Throttled, match="Try again in") as raised:
        authentication.member("field", "anna@example.org", PASSWORD, HERE)
    assert 0 < raised.value.after <= authentication.WINDOW_SECONDS


def test_a_remembered_login_passes_a_closed_door(monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member(make_organization())
    authentication.member("field", member.email, PASSWORD, HERE)
    monkeypatch.setitem(authentication.LIMITS, "name", 0)
    assert authentication.member("field", member.email, PASSWORD, HERE) == member


def test_a_success_is_not_counted_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(authentication.LIMITS, "name", 1)
    make_member(make_organization())
    for password in ("wrong", PASSWORD):
        with pytest.raises((AuthenticationFailed, Throttled)):
            authentication.member("field", "anna@example.org", password, HERE)
    cache.clear()
    authentication.member("field", "anna@example.org", PASSWORD, HERE)
    with pytest.raises(AuthenticationFailed):
        authentication.member("field", "anna@example.org", "wrong", HERE)


def test_the_fingerprint_changes_with_the_stored_hash() -> None:
    assert authentication.fingerprint("one") != authentication.fingerprint("other")
    assert authentication.fingerprint("one") == authentication.fingerprint("one")


def knock(times: int, check: Callable[[str], bool]) -> Counter[type[Exception] | None]:
    """Come so often at once with one password; return how that ended."""
    login = authentication._Login("stored", check)

    def prove(_: int) -> type[Exception] | None:
        try:
            authentication._prove(login, PASSWORD, (HERE, "anna", "field"))
        except (AuthenticationFailed, Throttled) as error:
            return type(error)
        return None

    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(prove, range(times)))


def test_many_who_come_at_once_are_one_attempt() -> None:
    checked = []

    def check(password: str) -> bool:
        checked.append(password)
        time.sleep(0.2)
        return True

    assert knock(2 * authentication.LIMITS["name"], check) == {None: 40}
    assert checked == [PASSWORD]


def test_many_who_come_at_once_with_a_wrong_password_are_many() -> None:
    most, checked = authentication.LIMITS["name"], []

    def check(password: str) -> bool:
        checked.append(password)
        return False

    ends = knock(2 * most, check)
    assert ends == {AuthenticationFailed: most, Throttled: most}
    assert len(checked) == most


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "WAIT_SECONDS", 0)
    login = authentication._Login("stored", lambda _: True)
    key = f"{authentication._remembered_key(login, PASSWORD)}:busy"
    cache.set(key, True, 60)
    authentication._prove(login, PASSWORD, (HERE, "anna", "field"))
    assert cache.get(key)
