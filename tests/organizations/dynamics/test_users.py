"""Operators of the signed-in user, views and counts: what depends on the organization."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.models import Organization
from organizations.records import Reference
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store
from tests.organizations.dynamics.library import Api, key, make, text

pytestmark = pytest.mark.django_db
T = AttributeType


def make_entity(name: str, *attributes: Attribute, set_name: str = "") -> Entity:
    return Entity(
        name=name,
        set_name=set_name or f"{name}s",
        primary_id=f"{name}id",
        primary_name="name",
        attributes=(key(f"{name}id"), text(), *attributes),
    )


ENTITIES = (
    make_entity(
        "systemuser",
        Attribute(name="businessunitid", type=T.LOOKUP, targets=("businessunit",)),
    ),
    make_entity("team"),
    make_entity(
        "businessunit",
        Attribute(name="parentbusinessunitid", type=T.LOOKUP, targets=("businessunit",)),
    ),
    make_entity(
        "teammembership",
        Attribute(name="systemuserid", type=T.UNIQUEIDENTIFIER),
        Attribute(name="teamid", type=T.UNIQUEIDENTIFIER),
        set_name="teammemberships",
    ),
    make_entity(
        "note",
        Attribute(name="ownerid", type=T.OWNER, targets=("systemuser", "team")),
        Attribute(name="unitid", type=T.LOOKUP, targets=("businessunit",)),
    ),
    make_entity("savedquery", Attribute(name="fetchxml", type=T.MEMO), set_name="savedqueries"),
)


@pytest.fixture(scope="module")
def staff(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        twin = create_organization("staff", Organization.Kind.DYNAMICS_TWIN, display_name="Staff")
        define(twin, ENTITIES)
        enable(twin, [entity.name for entity in ENTITIES])
    yield twin
    with django_db_blocker.unblock():
        delete_organization(twin)


@pytest.fixture
def api(staff: Organization, db: None) -> Api:
    """Speak as a user of the business unit `north` who is in the team `crew`; three notes."""
    api = Api(staff)
    user = str(api.user.pk)
    top = make(staff, "businessunit", name="top")
    north = make(
        staff, "businessunit", name="north", parentbusinessunitid=Reference("businessunit", top)
    )
    unit = Reference("businessunit", north)
    Store(staff).create("systemuser", {"name": "me", "businessunitid": unit}, id=user)
    team = make(staff, "team", name="crew")
    make(staff, "teammembership", systemuserid=user, teamid=team)
    make(staff, "note", name="mine", ownerid=Reference("systemuser", user), unitid=unit)
    make(staff, "note", name="ours", ownerid=Reference("team", team))
    make(staff, "note", name="nobody's")
    return api


@pytest.mark.parametrize(
    ("function", "name", "found"),
    [
        ("EqualUserId", "_ownerid_value", ["mine"]),
        ("EqualUserId", "ownerid", ["mine"]),
        ("NotEqualUserId", "ownerid", ["nobody's", "ours"]),
        ("EqualUserTeams", "ownerid", ["ours"]),
        ("EqualUserOrUserTeams", "ownerid", ["mine", "ours"]),
        ("EqualBusinessId", "unitid", ["mine"]),
        ("NotEqualBusinessId", "unitid", ["nobody's", "ours"]),
    ],
)
def test_a_function_means_the_caller(api: Api, function: str, name: str, found: list[str]) -> None:
    text = f"Microsoft.Dynamics.CRM.{function}(PropertyName='{name}')"
    rows = api.rows(f"notes?$select=name&$orderby=name&$filter={text}")
    assert [row["name"] for row in rows] == found


def test_who_am_i_tells_the_same_user(api: Api) -> None:
    me = api.get("WhoAmI")
    assert me["UserId"] == str(api.user.pk)
    unit = api.get(f"businessunits({me['BusinessUnitId']})?$select=name")
    assert unit["name"] == "north"


def test_a_view_is_run(api: Api) -> None:
    xml = (
        "<fetch><entity name='note'><attribute name='name'/><order attribute='name'/>"
        "</entity></fetch>"
    )
    view = make(api.twin, "savedquery", name="Notes", fetchxml=xml)
    rows = api.rows(f"notes?savedQuery={view}")
    assert [row["name"] for row in rows] == ["mine", "nobody's", "ours"]


@pytest.mark.parametrize(
    "path",
    [
        'RetrieveTotalRecordCount(EntityNames=@p1)?@p1=["note","team"]',
        'RetrieveTotalRecordCount(EntityNames=@names)?@names=["note","team"]',
        'RetrieveTotalRecordCount(EntityNames=["note","team"])',
    ],
)
def test_it_counts_whole_entities(api: Api, path: str) -> None:
    found = api.get(path)["EntityRecordCountCollection"]
    assert found == {"Count": 2, "IsReadOnly": False, "Keys": ["note", "team"], "Values": [3, 1]}


@pytest.mark.parametrize("names", ["", "@p2", "'note'", "{}"])
def test_names_to_count_must_be_a_list(api: Api, names: str) -> None:
    response = api.send("GET", f"RetrieveTotalRecordCount(EntityNames={names})")
    assert response.status_code == 400
    assert "JSON array" in json.loads(response.content)["error"]["message"]
