"""manage.py connect: from a request in a file to a connected client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections.models import Connection, Endpoint
from organizations.catalog import Catalog, create_organization, define, enable
from organizations.models import Member, Organization
from syncjobs.models import Run
from tests.syncjobs.making import (
    PASSWORD,
    client_store,
    drop_organizations,
    make_entity,
    names,
)
from tests.syncjobs.remote import DOTTED_PATH

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = f"""<ConnectRequest><SyncSetup>
  <ProviderID>60650fb3-5d8b-45dd-b82e-459f3b019e9a</ProviderID>
  <Url>https://contoso.example.com</Url>
  <UserName>admin@example.com</UserName>
  <Password>{PASSWORD}</Password>
  <RegistrationInfo><Email>ann@example.com</Email><LastName>Ann</LastName></RegistrationInfo>
</SyncSetup><Entities>account</Entities></ConnectRequest>"""


@pytest.fixture(autouse=True)
def _remote(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.RESCO_SYNC_CONNECTORS = {"dynamics": DOTTED_PATH}
    yield
    drop_organizations()


def make_server() -> Organization:
    organization = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    define(organization, [make_entity("account"), make_entity("lead")])
    enable(organization, ["account", "lead"])
    return organization


def connect(folder: Path, request: str = REQUEST, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error (with the reason of a failure)."""
    file, password = folder / "request.xml", folder / "password"
    file.write_text(request)
    password.write_text(f"{PASSWORD}\n")
    out, err = StringIO(), StringIO()
    given = [str(file), "field", "--password-file", str(password), *arguments]
    try:
        call_command("connect", *given, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_it_makes_and_connects_a_client(tmp_path: Path) -> None:
    make_server()
    code, out, err = connect(tmp_path)
    assert code == 0, err
    connection = Connection.objects.get()
    assert (connection.name, connection.state) == ("field", "ready")
    assert connection.client.organization is not None
    catalog = Catalog(connection.client.organization)
    assert (catalog.enabled("account"), catalog.enabled("lead")) == (True, False)
    member = Member.objects.get()
    assert (member.email, member.is_administrator) == ("ann@example.com", True)
    assert member.check_password(PASSWORD)
    assert names(client_store(connection)) == {}
    assert Run.objects.get().state == "succeeded"
    assert "added" in out


def test_it_updates_the_metadata_when_repeated(tmp_path: Path) -> None:
    server = make_server()
    connect(tmp_path)
    define(server, [make_entity("contact")])
    code, out, _ = connect(tmp_path, REQUEST, "--json")
    assert code == 0
    assert json.loads(out)["kind"] == "Connect"
    client = Connection.objects.get().client.organization
    assert client is not None
    assert "contact" in Catalog(client).names()


def test_it_takes_an_existing_client(tmp_path: Path) -> None:
    make_server()
    create_organization("field", Organization.Kind.CLIENT)
    assert connect(tmp_path)[0] == 0
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("</ConnectRequest>", "", "not well-formed"),
        ("<ConnectRequest>", "<!DOCTYPE x><ConnectRequest>", "DOCTYPE"),
        (PASSWORD, "wrong", "refused the login"),
        ("contoso", "nowhere", "There is no host 'nowhere.example.com'"),
        ("account", "nothing", "nothing"),
        ("60650fb3", "00000000", "ProviderID"),
    ],
)
def test_it_leaves_nothing_behind_when_refused(
    tmp_path: Path, old: str, new: str, text: str
) -> None:
    make_server()
    code, _, err = connect(tmp_path, REQUEST.replace(old, new))
    assert code == 2
    assert text in err
    check_nothing_was_made()


def test_it_makes_no_client_without_its_administrator(tmp_path: Path) -> None:
    make_server()
    start, end = REQUEST.index("<RegistrationInfo>"), REQUEST.index("</SyncSetup>")
    code, _, err = connect(tmp_path, REQUEST[:start] + REQUEST[end:])
    assert code == 2
    assert "the request needs RegistrationInfo" in err
    check_nothing_was_made()


def check_nothing_was_made() -> None:
    assert Organization.objects.count() == 1
    for model in (Connection, Endpoint, Run, Member):
        assert not model.objects.exists()


def test_it_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read") as caught:
        call_command("connect", str(tmp_path / "none.xml"), "field")
    assert caught.value.returncode == 2
