"""Execute, ExecuteMultiple and the operations named after what they do."""

from __future__ import annotations

import pytest
from lxml import etree

from organizations.errors import NotFound
from tests.organizations.making import make_id
from tests.organizations.rest.office import EMAIL, Rest

EXECUTE = "http://schemas.resco.net/XRM/Execute"


def make_operation(action: str, body: str, entity: str = "account") -> str:
    act = f' Action="{action}"' if action else ""
    return f'<Entity xmlns="{EXECUTE}" EntityName="{entity}"{act}>{body}</Entity>'


def test_it_creates_with_the_id_of_the_client(rest: Rest) -> None:
    account = make_id()
    result = rest.execute("account", "Create", f"<id>{account}</id><name>Alpha</name><fax/>")
    assert (result.tag, result.get("Type")) == ("Fault", None)
    result = rest.execute("account", "Create", f"<id>{account}</id><name>Alpha</name>")
    assert (result.tag, result.get("Type"), result.text) == ("Result", "guid", account)
    assert rest.store.get("account", account).values["name"] == "Alpha"


def test_it_chooses_an_id_where_none_is_given(rest: Rest) -> None:
    made = rest.execute("account", "Create", "<name>Alpha</name>").text
    assert rest.store.get("account", made or "").values["name"] == "Alpha"


def test_it_changes_only_what_is_named(rest: Rest) -> None:
    account = rest.store.create("account", {"name": "Alpha", "employees": 3, "revenue": "1"}).id
    body = f"<accountid>{account}</accountid><employees>4</employees><revenue />"
    result = rest.execute("account", "Update", body)
    assert (result.get("Type"), result.text) == ("bool", "True")
    values = rest.store.get("account", account).values
    assert (values["name"], values["employees"], values["revenue"]) == ("Alpha", 4, None)


def test_a_status_brings_its_state(rest: Rest) -> None:
    account = rest.store.create("account", {"name": "Alpha"}).id
    rest.execute("account", "Update", f"<id>{account}</id><statuscode>2</statuscode>")
    assert rest.store.get("account", account).values["statecode"] == 1


def test_an_owner_is_given_with_its_entity(rest: Rest) -> None:
    account, team = rest.store.create("account", {"name": "Alpha"}).id, make_id()
    rest.execute("account", "Update", f"<id>{account}</id><ownerid>team:{team}:Blue</ownerid>")
    owner = rest.store.get("account", account).values["ownerid"]
    assert (getattr(owner, "entity", ""), getattr(owner, "id", "")) == ("team", team)


def test_it_upserts(rest: Rest) -> None:
    account = make_id()
    made = rest.execute("account", "Upsert", f"<id>{account}</id><name>New</name>")
    again = rest.execute("account", "Upsert", f"<id>{account}</id><name>Newer</name>")
    assert [made.get("Type"), again.get("Type")] == ["guid", "bool"]
    assert rest.store.get("account", account).values["name"] == "Newer"


def test_it_deletes(rest: Rest) -> None:
    account = rest.store.create("account", {"name": "Alpha"}).id
    assert rest.execute("account", "Delete", f"<id>{account}</id>").text == "True"
    with pytest.raises(NotFound):
        rest.store.get("account", account)
    gone = rest.execute("account", "Delete", f"<id>{account}</id>")
    assert gone.findtext("Code") == "2"
    assert "There is no record" in gone.findtext("Reason", "")


def test_it_makes_and_removes_pairs_by_their_lookups(rest: Rest) -> None:
    ends = [rest.store.create("account", {"name": name}).id for name in ("A", "B")]
    body = (
        f"<accountidone>account:{ends[0]}</accountidone>"
        f"<accountidtwo>account:{ends[1]}</accountidtwo>"
    )
    key = "accountidone;accountidtwo"
    made = rest.execute("accountrivals", "Create", body, key)
    assert made.text == rest.store.pair_id("account_rivals", *ends) != ""
    assert rest.execute("accountrivals", "Delete", body, key).text == "True"
    assert rest.store.pair_id("account_rivals", *ends) == ""
    assert rest.execute("accountrivals", "Delete", body, key).tag == "Fault"


def test_it_reads_party_lists(rest: Rest) -> None:
    person = make_id()
    body = (
        f"<parties><party>contact:{person}</party><party addressused='a%40example.com'/></parties>"
    )
    made = rest.execute("sampler", "Create", body).text
    assert rest.store.get("sampler", made or "").values["parties"] == (
        f'[[0,"","a@example.com"],[0,"contact","{person}"]]'
    )


def test_it_answers_many_in_their_order_without_white_space(rest: Rest) -> None:
    account = rest.store.create("account", {"name": "Alpha"}).id
    operations = [
        make_operation("Create", "<name>One</name>"),
        make_operation("Update", "<name>Nobody</name>"),
        make_operation("Delete", f"<id>{account}</id>"),
    ]
    body = f'<ExecuteMultiple xmlns="{EXECUTE}" ContinueOnError="true">{"".join(operations)}'
    root = rest.read("/ExecuteMultiple", f"{body}</ExecuteMultiple>")
    assert [child.tag for child in root] == ["Response"] * 3
    assert [child[0].tag for child in root] == ["Result", "Fault", "Result"]
    assert all(child.text is None for child in root)


def test_it_stops_at_the_first_fault_unless_told_to_go_on(rest: Rest) -> None:
    operations = make_operation("Delete", f"<id>{make_id()}</id>") * 2
    body = f'<ExecuteMultiple xmlns="{EXECUTE}">{operations}</ExecuteMultiple>'
    assert len(rest.read("/ExecuteMultiple", body)) == 1


def test_the_operations_named_after_what_they_do(rest: Rest) -> None:
    account = make_id()
    made = rest.read("/Create", make_operation("", f"<id>{account}</id><name>A</name>"))
    assert (made[0].get("Type"), made[0].text) == ("guid", account)
    rest.read("/Update", make_operation("", f"<id>{account}</id><name>B</name>"))
    assert rest.store.get("account", account).values["name"] == "B"
    other = make_operation("", f"<id>{make_id()}</id><name>C</name>")
    assert rest.fault("/Update", other, status=404)["Code"] == "2"
    assert rest.read("/Update?$create=true", other)[0].get("Type") == "guid"
    many = rest.read("/UpdateMultiple?$create=false", f"<Entities>{other}{other}</Entities>")
    assert [child[0].tag for child in many] == ["Result", "Result"]
    created = rest.read("/CreateMultiple", f"<Entities>{other}</Entities>")
    assert created[0][0].findtext("Code") == "3"
    rest.read("/Delete", make_operation("", f"<id>{account}</id>"))
    rest.read("/DeleteMultiple", f"<Entities>{other}</Entities>")
    assert rest.store.count_records("account") == 0


def test_the_change_log_names_who_wrote(rest: Rest) -> None:
    before = rest.store.row_version()
    rest.execute("account", "Create", "<name>Alpha</name>")
    row = rest.organization.changelog_set.get(version__gt=before)
    assert row.actor == EMAIL


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("<x/>", "Expected an Entity element, found 'x'"),
        ('<Entity Action="Create"/>', "Entity needs the attribute EntityName"),
        ('<Entity EntityName="nothing" Action="Create"/>', "There is no entity 'nothing'"),
        ('<Entity EntityName="account" Action="Dance"/>', "Action is Create, Update, Delete"),
        (make_operation("Update", "<name>x</name>"), "Update of account needs an id element"),
        (make_operation("Delete", "<id>12</id>"), "'12' is not the id of a record"),
        (make_operation("Create", "<wrong>x</wrong>"), "no attribute 'wrong'"),
        (make_operation("Create", "<name><b/></name>"), "takes text, not further elements"),
        (make_operation("Create", "<employees>x</employees>"), "'x' is not a Integer value"),
        (make_operation("Create", f"<ownerid>{make_id()}</ownerid>"), "takes entity:guid"),
        (
            make_operation("Create", "<parties><x/></parties>", "sampler"),
            "'parties' holds party elements",
        ),
        (make_operation("Create", "", "accountrivals"), "needs 'accountidone'"),
    ],
)
def test_what_is_wrong_with_a_record_is_a_fault_in_the_answer(
    rest: Rest, body: str, part: str
) -> None:
    found = rest.read("/Execute", body)[0]
    assert found.tag == "Fault"
    assert part in found.findtext("Reason", "")


def test_it_limits_what_one_request_does(rest: Rest) -> None:
    body = f"<ExecuteMultiple>{'<Entity/>' * 1001}</ExecuteMultiple>"
    fault = rest.fault("/ExecuteMultiple", body, status=400)
    assert "at most 1,000 operations, not 1,001" in fault["Reason"]


def test_it_refuses_a_create_option_that_is_neither(rest: Rest) -> None:
    fault = rest.fault("/Update?$create=maybe", make_operation("", ""), status=400)
    assert fault["Reason"] == "$create is true or false, not 'maybe'."


def test_the_answers_are_well_formed(rest: Rest) -> None:
    response = rest.send("/Execute", make_operation("Create", "<name>&lt;&amp;</name>"))
    assert etree.fromstring(response.content).tag == "ExecuteResult"
    assert response["Content-Type"] == "application/xml; charset=utf-8"
