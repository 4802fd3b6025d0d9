"""Logins, addresses, and operations that are not there."""

from __future__ import annotations

import pytest
from django.test import override_settings

from tests.organizations.dynamics.library import make_twin
from tests.organizations.rest.office import PASSWORD, Rest, basic


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer x", basic("anna@example.com", "no")])
def test_it_asks_for_basic_authentication(rest: Rest, header: str) -> None:
    response = rest.send("/WhoAmI", headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert b"The user name or the password is not right." in response.content


def test_it_does_not_tell_which_organizations_there_are(rest: Rest) -> None:
    rest.name = "/nobody-here"
    assert rest.send("/WhoAmI").status_code == 401


def test_a_twin_is_not_served(rest: Rest) -> None:
    twin = make_twin("rest-twin")
    member = twin.members.create(email=rest.email)
    member.set_password(PASSWORD)
    member.save()
    assert "is a twin" in Rest(twin).fault("/WhoAmI", status=404)["Reason"]


@override_settings(RESCO_SYNC_ORGANIZATION_HOST="cloud.example", ALLOWED_HOSTS=["*"])
@pytest.mark.parametrize("with_path", [True, False])
def test_the_organization_may_stand_in_the_host_name(rest: Rest, with_path: bool) -> None:
    host = f"{rest.organization.name}.cloud.example"
    rest.name = rest.name if with_path else ""
    root = rest.read("/WhoAmI", headers={"Host": host})
    assert root.get("OrganizationName") == rest.organization.name


@pytest.mark.parametrize(
    ("path", "method", "status", "part"),
    [
        ("/Dance", "POST", 404, "There is no operation 'Dance'"),
        ("/ExportProject", "POST", 501, "ExportProject is not served here"),
        ("/Execute", "PUT", 405, "Execute takes POST"),
    ],
)
def test_it_knows_its_operations(
    rest: Rest, path: str, method: str, status: int, part: str
) -> None:
    assert part in rest.fault(path, method=method, status=status)["Reason"]
