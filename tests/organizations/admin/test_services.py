"""The page of services: addresses that answer, lines that work, and the SQL user."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from organizations.catalog import delete_organization, sql_users
from organizations.models import Organization
from tests.organizations.dynamics.office import make_office
from tests.organizations.rest.office import ADMINISTRATOR, EMAIL, PASSWORD, basic
from tests.organizations.rest.office import make_office as make_client

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")


@pytest.fixture
def client_organization(db: None) -> Organization:
    return make_client("field")


def address(organization: Organization, page: str = "services") -> str:
    return reverse(f"admin:organizations_organization_{page}", args=[organization.pk])


def shown(browser: Client, organization: Organization, part: str) -> list[str]:
    """What stands in the cells that are copied: the addresses (url) or the lines (line)."""
    page = browser.get(address(organization)).content.decode()
    cells = re.findall(rf'id="({part}-\d)">([^<]*)<', page)
    assert all(f'data-copies="{name}"' in page for name, _ in cells)
    return [unescape(text) for _, text in cells]


def test_it_lists_the_services_of_a_client(
    browser: Client, client_organization: Organization
) -> None:
    assert shown(browser, client_organization, "url") == [
        "http://testserver/rest/v1/data/field",
        "http://testserver/rest/v1/metadata/field",
        "http://testserver/odata/v4/field/",
        "http://testserver/odata/questionnaires/v4/field/",
    ]


@pytest.mark.parametrize("number", range(4))
def test_each_line_is_refused_without_a_login_and_answered_with_one(
    browser: Client, client_organization: Organization, number: int
) -> None:
    words = shlex.split(shown(browser, client_organization, "line")[number])
    assert words[:2] == ["curl", "--fail"]
    assert words[2] == "--user"
    assert words[3] in (EMAIL, ADMINISTRATOR)
    method = "POST" if "--request" in words else "GET"
    client = Client()
    assert client.generic(method, words[-1]).status_code == 401
    answer = client.generic(method, words[-1], headers={"Authorization": basic(words[3])})
    assert answer.status_code == 200, answer.content


def test_it_says_when_nobody_may_sign_in(browser: Client, organization: Organization) -> None:
    page = browser.get(address(organization)).content.decode()
    assert "Nobody may sign in yet" in page
    assert "--user user@example.com" in page


def test_a_twin_shows_its_web_api_and_where_tokens_are(browser: Client, db: None) -> None:
    twin = make_office()
    token, api = shown(browser, twin, "url")
    assert api == f"http://testserver/dynamics/{twin.name}/api/data/v9.2/"
    assert Client().get(f"{api}WhoAmI").status_code == 401
    assert Client().post(token, {}).status_code == 400
    assert "Plugins" in browser.get(address(twin)).content.decode()


def curl(line: str, given: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line], input=f"{given}\n", capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_curl
@pytest.mark.django_db(transaction=True)
def test_the_lines_of_a_client_work_in_a_shell(live_server: Any) -> None:
    organization = make_client("field")
    browser = make_browser(live_server)
    try:
        answers = ("UserId", "<Entities", "@odata.context", "questionnaires/v4/field/$metadata")
        for line, found in zip(shown(browser, organization, "line"), answers, strict=True):
            login = shlex.split(line)[3]
            assert found in curl(line.replace(login, f"{login}:{PASSWORD}"), "")
    finally:
        delete_organization(organization)


@needs_curl
@pytest.mark.django_db(transaction=True)
def test_the_lines_of_a_twin_ask_for_a_password_and_for_the_token(live_server: Any) -> None:
    twin = make_office()
    make_person(twin)
    try:
        take, use = shown(make_browser(live_server), twin, "line")
        answer = curl(take, "a & b=c %41")
        (token,) = re.findall(r'"access_token": "([^"]+)"', answer)
        assert "UserId" in curl(use, token)
    finally:
        delete_organization(twin)


def make_person(twin: Organization) -> None:
    person = twin.members.model(organization=twin, email="anna@example.com")
    person.set_password("a & b=c %41")
    person.save()


def make_browser(live_server: Any) -> Client:
    """A browser that knows the page by the address of the real server."""
    browser = Client(HTTP_HOST=live_server.url.partition("//")[2])
    browser.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return browser


def test_the_password_of_the_sql_user_is_shown_once(
    browser: Client, client_organization: Organization
) -> None:
    made = browser.post(address(client_organization, "sql_user"), {"act": "make"})
    (password,) = re.findall(r'id="sql-password">([^<]+)<', made.content.decode())
    assert len(password) == 32
    assert "no-store" in made.headers["Cache-Control"]
    page = browser.get(address(client_organization)).content.decode()
    assert "sql-password" not in page
    assert "--username ro_field" in page
    again = browser.post(address(client_organization, "sql_user"), {"act": "make"}, follow=True)
    assert "is there already" in again.content.decode()


def test_the_sql_user_is_removed_from_the_page(
    browser: Client, client_organization: Organization
) -> None:
    sql_users.make(client_organization)
    gone = browser.post(address(client_organization, "sql_user"), {"act": "remove"}, follow=True)
    assert "The SQL user was removed." in gone.content.decode()
    assert "Make SQL user" in gone.content.decode()
    assert sql_users.find(client_organization) == ""


def test_who_may_only_look_makes_no_sql_user(client_organization: Organization) -> None:
    user = User.objects.create_user("eye", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    browser = Client()
    browser.force_login(user)
    page = browser.get(address(client_organization))
    assert (page.status_code, "Make SQL user" in page.content.decode()) == (200, False)
    answer = browser.post(address(client_organization, "sql_user"), {"act": "make"})
    assert answer.status_code == 403
    assert sql_users.find(client_organization) == ""
