"""How the Dynamics connector takes what a real organization may answer."""

from __future__ import annotations

from typing import Any

import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.dynamics.client import api_root
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.errors import (
    CheckpointExpired,
    LoginFailed,
    MetadataChanged,
    Refused,
    Retryable,
    UnknownEntity,
    Unreachable,
)
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Page
from organizations.schema import Attribute, AttributeType, Entity
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer

T = AttributeType
ID = "00000000-0000-0000-0000-00000000000{}"


def make_account(*, tracked: bool = True, versions: bool = True) -> Entity:
    attributes = [
        Attribute(name="accountid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="name", type=T.STRING),
        Attribute(name="modifiedon", type=T.DATETIME),
    ]
    if versions:
        attributes.append(Attribute(name="versionnumber", type=T.BIGINT))
    return Entity(
        name="account",
        primary_id="accountid",
        set_name="accounts",
        attributes=tuple(attributes),
        tracks_changes=tracked,
    )


def make_row(number: int, version: int, **more: Any) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{version}"',
        "accountid": ID.format(number),
        "name": f"account {number}",
        "versionnumber": version,
        **more,
    }


def make_page(*rows: dict[str, Any], **links: str) -> Answer:
    return told({"value": list(rows), **{f"@odata.{name}": link for name, link in links.items()}})


def make_request(entity: Entity, **more: Any) -> ReadRequest:
    return ReadRequest(entity=entity, attributes=entity.attributes[:2], **more)


def read(connector: DynamicsConnector, entity: Entity, **more: Any) -> list[Page]:
    return list(connector.read(make_request(entity, **more)))


def ids_of(pages: list[Page]) -> list[str]:
    return [str(row[0])[-1] for page in pages for row in page.rows]


LOW = make_page({"versionnumber": 1000})


# Addresses and errors


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://contoso.crm4.dynamics.com", "https://contoso.crm4.dynamics.com/api/data/v9.2/"),
        ("https://a/ORG/", "https://a/ORG/api/data/v9.2/"),
        (" https://a/dynamics/x/api/data/v9.1 ", "https://a/dynamics/x/api/data/v9.2/"),
    ],
)
def test_it_finds_the_api(given: str, root: str) -> None:
    assert api_root(given) == root


def test_it_wants_a_plain_address() -> None:
    with pytest.raises(Unreachable, match=r"without '\?' and '#'"):
        api_root("https://a/?x=1")


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (failed("0x80072560", status=403), LoginFailed, "not a member of this organization"),
        (failed("0x80040220", status=403), Refused, "denies it: It said why"),
        (failed("0x80044352"), CheckpointExpired, "no longer knows what changed"),
        (failed("0x8006088a", status=404), MetadataChanged, "Run Update Server"),
        (failed("0x0", "Could not find a property named 'x' on"), MetadataChanged, "property"),
        (failed("0x80040203"), Refused, r"\(status 400, 0x80040203\): It said why"),
        (failed("", status=500), Retryable, "failed with status 500"),
        (Answer(502, b"<html>gateway</html>"), Retryable, "not able to answer just now"),
        (Answer(200, b"<html>a portal</html>"), Retryable, "not JSON"),
        (told({"Message": "gateway"}, 400), Refused, r"\(status 400\)"),
    ],
)
def test_each_error_has_its_meaning(answer: Answer, kind: type[Exception], message: str) -> None:
    entity = make_account(tracked=False)
    with (
        connected({"GET accounts": [LOW, answer]}) as (_, connector),
        pytest.raises(kind, match=message),
    ):
        read(connector, entity)


def test_it_waits_through_too_many_requests_and_deadlocks() -> None:
    entity, waits = make_account(tracked=False), list[float]()
    busy = Answer(429, b'{"error":{"code":"0x80072322"}}', {"Retry-After": "9"})
    deadlock = failed("0x80044150", "Sql Number: 1205", status=500)
    answers = {"GET accounts": [LOW, busy, deadlock, make_page(make_row(1, 5))]}
    with connected(answers, waits) as (_, connector):
        assert ids_of(read(connector, entity)) == ["1"]
    assert waits == [9.0, 1.0]


def test_it_never_follows_a_next_link_elsewhere() -> None:
    entity = make_account()
    page = make_page(make_row(1, 5), nextLink="https://evil.example/api/data/v9.2/accounts?x")
    with (
        connected({"GET accounts": [LOW, page]}) as (_, connector),
        pytest.raises(Refused, match=r"gave a nextLink to https://evil\.example"),
    ):
        read(connector, entity)


def test_it_follows_no_resume_or_checkpoint_elsewhere() -> None:
    entity = make_account()
    with connected({}) as (fake, connector):
        for text in (
            '{"phase":"rows","goal":{"way":"tracked"},"link":"https://evil.example/"}',
            '{"phase":"delta","goal":{"way":"tracked"},"link":"https://evil.example/"}',
        ):
            with pytest.raises(Refused, match="Links to another host are never followed"):
                read(connector, entity, resume=text)
        with pytest.raises(Refused, match="Links to another host are never followed"):
            read(connector, entity, since='{"way":"tracked","link":"https://evil.example/"}')
        assert fake.asked == []


def test_it_does_not_guess_at_a_checkpoint_it_did_not_write() -> None:
    with connected({}) as (_, connector), pytest.raises(CheckpointExpired, match="did not|not one"):
        read(connector, make_account(), since="whatever")


# Reading


def test_it_reads_pages_with_tracking_and_then_deltas() -> None:
    entity = make_account()
    with connected({}) as (fake, connector):
        link = f"{fake.url}/api/data/v9.2/accounts?$select=x&$"
        gone = {"@odata.context": "x/$metadata#accounts/$deletedEntity", "id": ID.format(1)}
        fake.on(
            "GET accounts",
            LOW,
            make_page(make_row(1, 5), nextLink=f"{link}skiptoken=2"),
            make_page(make_row(2, 1001), deltaLink=f"{link}deltatoken=7"),
            make_page(make_row(2, 1001), make_row(3, 1002)),
            make_page(make_row(2, 1001), make_row(3, 1003), gone, deltaLink=f"{link}deltatoken=8"),
            make_page(deltaLink=f"{link}deltatoken=9"),
        )
        first = read(connector, entity)
        second = read(connector, entity, since=first[-1].checkpoint)
        third = read(connector, entity, since=second[-1].checkpoint)
        prefers = [request.headers.get("prefer") for request in fake.asked]
        targets = fake.targets()
    assert ids_of(first) == ["1", "2"]
    # 2 was given at that very version before; 3 was changed while the first load ran.
    assert ids_of(second) == ["3", "3"]
    assert [item for page in second for item in page.deleted] == [ID.format(1)]
    assert ids_of(third) == []
    assert prefers[1] == prefers[2] == "odata.track-changes,odata.maxpagesize=5000"
    assert prefers[4] == "odata.maxpagesize=5000"
    assert targets == [
        "accounts?$select=versionnumber&$orderby=versionnumber desc&$top=1",
        "accounts?$select=accountid,name,versionnumber",
        "accounts?$select=x&$skiptoken=2",
        "accounts?$select=accountid,name,versionnumber&$filter=versionnumber gt 500"
        "&$orderby=versionnumber asc",
        "accounts?$select=x&$deltatoken=7",
        "accounts?$select=x&$deltatoken=8",
    ]


def test_it_reads_everything_again_without_a_delta_link() -> None:
    with (
        connected({"GET accounts": [LOW, make_page(make_row(1, 5))]}) as (_, connector),
        pytest.raises(CheckpointExpired, match="gave no delta link for 'account'"),
    ):
        read(connector, make_account())


def test_it_looks_back_where_versions_commit_out_of_order() -> None:
    entity = make_account(tracked=False)
    answers = [
        LOW,
        make_page(make_row(1, 400), make_row(2, 1000)),
        LOW,
        make_page(make_row(3, 998), make_row(2, 1000)),
        make_page({"versionnumber": 1001}),
        make_page(make_row(3, 998), make_row(2, 1000), make_row(1, 1001)),
    ]
    with connected({"GET accounts": answers}) as (_, connector):
        first = read(connector, entity)
        second = read(connector, entity, since=first[-1].checkpoint)
        third = read(connector, entity, since=second[-1].checkpoint)
    assert (ids_of(first), ids_of(second), ids_of(third)) == (["1", "2"], ["3"], ["1"])


def test_it_goes_by_time_of_change_where_there_are_no_versions() -> None:
    entity = make_account(tracked=False, versions=False)
    latest = make_page({"modifiedon": "2024-05-01T10:00:00Z"})
    answers = [latest, make_page(make_row(1, 0)), latest, make_page(make_row(1, 0))]
    with connected({"GET accounts": answers}) as (fake, connector):
        first = read(connector, entity)
        assert ids_of(read(connector, entity, since=first[-1].checkpoint)) == ["1"]
        assert "$filter=modifiedon ge 2024-05-01T09:55:00Z" in fake.targets()[-1]


def test_it_reads_everything_each_time_where_nothing_tells_changes() -> None:
    entity = make_account(tracked=False, versions=False)
    bare = Entity(
        name="account",
        primary_id="accountid",
        set_name="accounts",
        attributes=entity.attributes[:2],
    )
    with connected({"GET accounts": [make_page(make_row(1, 0))]}) as (_, connector):
        first = read(connector, bare)
        assert ids_of(read(connector, bare, since=first[-1].checkpoint)) == ["1"]


def test_it_pages_through_fetchxml_with_the_cookie() -> None:
    entity = make_account(tracked=False)
    cookie = (
        '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e'
        '%253c%252fcookie%253e" istracking="False" />'
    )
    crm = "@Microsoft.Dynamics.CRM."
    more = {f"{crm}fetchxmlpagingcookie": cookie, f"{crm}morerecords": True}
    answers = [
        LOW,
        told({**more, "value": [make_row(1, 5)]}),
        told({"value": [make_row(2, 6)], f"{crm}morerecords": False}),
    ]
    named = Condition("name", Operator.LIKE, ("a&b%",))
    query = Query(entity="account", filter=Group(Logic.AND, (named,)))
    with connected({"GET accounts": answers}) as (fake, connector):
        pages = read(connector, entity, query=query)
        first, second = fake.targets()[1:]
        prefer = str(fake.asked[1].headers["prefer"])
    assert ids_of(pages) == ["1", "2"]
    assert 'value="a&amp;b%"' in first
    assert 'page="2"' in second
    assert 'paging-cookie="&lt;cookie page=&quot;1&quot;&gt;&lt;/cookie&gt;"' in second
    assert "fetchxmlpagingcookie" in prefer
    assert "morerecords" in prefer


def test_it_takes_a_delta_link_before_it_reads_through_a_filter() -> None:
    """Change tracking takes no filter, and reading through one gives no delta link."""
    entity = make_account()
    query = Query(entity="account")
    with connected({}) as (fake, connector):
        link = f"{fake.url}/api/data/v9.2/accounts?$select=accountid&$"
        fake.on(
            "GET accounts",
            make_page({"accountid": ID.format(1)}, nextLink=f"{link}skiptoken=2"),
            make_page({"accountid": ID.format(2)}, deltaLink=f"{link}deltatoken=7"),
            make_page(make_row(2, 6)),
            make_page(make_row(1, 7), deltaLink=f"{link}deltatoken=8"),
            make_page(make_row(1, 7)),
        )
        first = read(connector, entity, query=query)
        second = read(connector, entity, query=query, since=first[-1].checkpoint)
        targets = fake.targets()
    assert [len(page.rows) for page in first] == [0, 0, 1]
    assert ids_of(second) == ["1"]
    assert second[-1].rows[0][1] == "account 1"
    assert "fetchXml=" in targets[2]
    assert 'operator="in"' in targets[4]


def test_a_filter_too_long_for_an_address_is_refused() -> None:
    long = Condition("name", Operator.EQ, ("x" * 33_000,))
    query = Query(entity="account", filter=Group(Logic.AND, (long,)))
    with (
        connected({"GET accounts": [LOW]}) as (_, connector),
        pytest.raises(Refused, match="filter of 'account' is too long"),
    ):
        read(connector, make_account(tracked=False), query=query)


def test_it_counts_beyond_what_count_says() -> None:
    capped = Answer(200, b"\xef\xbb\xbf5000")
    rows = make_page(*({"accountid": ID.format(at)} for at in range(7)))
    with connected({"GET accounts/$count": [capped], "GET accounts": [rows]}) as (_, connector):
        assert connector.count(make_account()) == 7


# Identity and metadata


def test_it_identifies_itself_even_where_little_is_allowed() -> None:
    who = {"BusinessUnitId": ID.format(1), "UserId": ID.format(2), "OrganizationId": ID.format(3)}
    denied = failed("0x80040220", status=403)
    answers = {
        "GET WhoAmI": [told(who)],
        "GET RetrieveVersion()": [denied],
        "GET RetrieveAvailableLanguages()": [told({"LocaleIds": [1033, 1051]})],
        "GET organizations": [denied],
    }
    with connected(answers) as (_, connector):
        identity = connector.identify()
    assert (identity.organization_id, identity.user_id) == (ID.format(3), ID.format(2))
    assert (identity.organization_name, identity.version) == ("127.0.0.1", "")
    assert identity.languages == (1033, 1051)


def test_it_asks_for_casts_only_where_they_tell_more() -> None:
    prefix = "#Microsoft.Dynamics.CRM."

    def attribute(name: str, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "@odata.type": f"{prefix}{kind}AttributeMetadata",
            "LogicalName": name,
            "AttributeType": kind,
            "IsValidForRead": True,
            **more,
        }

    base = "EntityDefinitions(LogicalName='account')"
    cast = f"GET {base}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    option = {"Value": 1, "Label": {"LocalizedLabels": []}}
    options = {"Name": "account_size", "OptionSetType": "Picklist", "Options": [option]}
    answers = {
        f"GET {base}": [
            told(
                {
                    "LogicalName": "account",
                    "EntitySetName": "accounts",
                    "PrimaryIdAttribute": "accountid",
                }
            )
        ],
        f"GET {base}/Attributes": [
            told(
                {
                    "value": [
                        attribute("name", "String", MaxLength=160),
                        attribute("size", "Picklist"),
                    ]
                }
            )
        ],
        cast: [told({"value": [{"LogicalName": "size", "OptionSet": options}]})],
    }
    with connected(answers) as (fake, connector):
        (entity,) = connector.describe(["account"])
        assert len(fake.asked) == 3
        assert "$expand=OptionSet,GlobalOptionSet" in fake.targets()[-1]
    size = entity.attribute("size")
    assert size is not None
    assert size.option_set is not None
    assert [item.value for item in size.option_set.options] == [1]


def test_a_party_list_of_unknown_meaning_is_not_stored() -> None:
    base = "GET EntityDefinitions(LogicalName='letter')"
    lists = [
        {
            "@odata.type": "#Microsoft.Dynamics.CRM.LookupAttributeMetadata",
            "LogicalName": name,
            "AttributeType": "PartyList",
            "IsValidForRead": True,
            "Targets": ["contact"],
        }
        for name in ("to", "partners")
    ]
    answers = {
        base: [told({"LogicalName": "letter", "PrimaryIdAttribute": "activityid"})],
        f"{base}/Attributes": [told({"value": lists})],
    }
    with connected(answers) as (_, connector):
        (letter,) = connector.describe(["letter"])
    assert [item.is_stored for item in letter.attributes] == [True, False]


def test_it_says_which_entity_or_definition_is_wrong() -> None:
    base = "GET EntityDefinitions(LogicalName='{}')"
    answers = {
        base.format("gone"): [failed("0x80060888", status=404)],
        base.format("odd"): [told({"LogicalName": "odd"})],
        base.format("odd") + "/Attributes": [told({"value": []})],
    }
    with connected(answers) as (_, connector):
        with pytest.raises(UnknownEntity, match="no entity 'gone'"):
            list(connector.describe(["gone"]))
        with pytest.raises(MetadataChanged, match="The definition of 'odd' cannot be read"):
            list(connector.describe(["odd"]))
