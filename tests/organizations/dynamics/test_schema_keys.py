"""Metadata writes: alternate keys."""

from __future__ import annotations

import pytest

from tests.organizations.dynamics.library import Api
from tests.organizations.dynamics.test_schema_writing import (
    WIDGET,
    column,
    done,
    label,
    post,
    table,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def widget(api: Api) -> str:
    return post(api, "EntityDefinitions", table())


def test_keys_are_made_and_removed(api: Api, widget: str) -> None:
    body = {"SchemaName": "new_NameKey", "DisplayName": label("K"), "KeyAttributes": ["new_name"]}
    made = post(api, f"{WIDGET}/Keys", body)
    (found,) = api.rows(f"{WIDGET}/Keys")
    assert (found["MetadataId"], found["LogicalName"]) == (made, "new_namekey")
    assert (found["SchemaName"], found["EntityKeyIndexStatus"]) == ("new_NameKey", "Active")
    done(api, "PATCH", "new_widgets(new_name='x')", {"new_name": "x"})
    used = api.fails(f"{WIDGET}/Attributes(LogicalName='new_name')", "DELETE")
    assert used[1] == "0x80047002"
    assert api.fails(f"{WIDGET}/Keys", "POST", body)[1] == "0x80047010"
    done(api, "DELETE", f"{WIDGET}/Keys({made})")
    assert api.rows(f"{WIDGET}/Keys") == []
    assert api.fails(f"{WIDGET}/Keys({made})", "DELETE")[0] == 404


def test_an_attribute_of_a_key_stays(api: Api, widget: str) -> None:
    post(api, f"{WIDGET}/Attributes", column("new_Code"))
    post(api, f"{WIDGET}/Keys", {"SchemaName": "new_K", "KeyAttributes": ["new_code"]})
    assert api.fails(f"{WIDGET}/Attributes(LogicalName='new_code')", "DELETE")[1] == "0x8004f01f"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "must name 1 to 16 attributes"),
        (["nothing"], "has no attribute 'nothing'"),
        (["ownerid"], "cannot be part of a key"),
    ],
)
def test_it_says_what_is_wrong_with_a_key(
    api: Api, widget: str, names: list[str], message: str
) -> None:
    body = {"SchemaName": "new_K", "KeyAttributes": names}
    assert message in api.fails(f"{WIDGET}/Keys", "POST", body)[2]
