"""Reading a ConnectRequest: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from connections.connect.document import document
from connections.connect.request import ConnectRequest, EntityChoice, from_document
from organizations.errors import InvalidRequest

DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
SETUP = f"""<SyncSetup>
  <ProviderID>{DYNAMICS}</ProviderID>
  <Url>https://server.example.com/</Url>
  <UserName>admin@example.com</UserName>
  <Password> pass word </Password>
</SyncSetup>"""


def make_setup(**changes: Any) -> dict[str, Any]:
    setup: dict[str, Any] = {
        "ProviderID": DYNAMICS,
        "Url": "https://server.example.com",
        "UserName": "admin@example.com",
        "Password": "secret",
    }
    return {"SyncSetup": {**setup, **changes}}


def from_xml(text: str) -> ConnectRequest:
    return from_document(document(etree.fromstring(text)))


def test_it_reads_the_published_example() -> None:
    request = from_xml(f"<ConnectRequest>{SETUP}</ConnectRequest>")
    assert request.backend == "dynamics"
    assert request.url == "https://server.example.com"
    assert request.password == " pass word "
    assert request.entities is None
    assert request.filters_xml is None
    assert request.registration is None


def test_it_keeps_secrets_out_of_its_representation() -> None:
    assert "pass word" not in repr(from_xml(f"<ConnectRequest>{SETUP}</ConnectRequest>"))


def test_it_ignores_namespaces_order_comments_and_unknown_elements() -> None:
    request = from_xml(
        f"""<ConnectRequest xmlns="http://example.com/any"><!-- hello --><Extra><Deep/></Extra>
        <Entities><Entity Name="account"/></Entities>{SETUP}</ConnectRequest>"""
    )
    assert request.entities == (EntityChoice(name="account"),)


@pytest.mark.parametrize(
    "entities",
    [
        '<Entities><Entity Name="account" SyncDeletion="true"/><Entity Name="contact"/></Entities>',
        "<Entities><Entity>account</Entity><Entity>contact</Entity></Entities>",
        "<Entities>account;contact</Entities>",
        "<Entities> account; contact; </Entities>",
        "<Entities><string>account</string><string>contact</string></Entities>",
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_it_takes_entities_in_every_form_and_place(entities: str, inside: bool) -> None:
    setup = SETUP.replace("</SyncSetup>", f"{entities}</SyncSetup>") if inside else SETUP + entities
    request = from_xml(f"<ConnectRequest>{setup}</ConnectRequest>")
    assert [choice.name for choice in request.entities or ()] == ["account", "contact"]


def test_it_takes_filters_inline_and_escaped() -> None:
    inline = '<fetchcollection><fetch><entity name="account"/></fetch></fetchcollection>'
    escaped = inline.replace("<", "&lt;")
    for text in (inline, escaped):
        request = from_xml(
            f"<ConnectRequest>{SETUP}<SyncFiltersXml>{text}</SyncFiltersXml></ConnectRequest>"
        )
        assert request.filters_xml == inline


def test_it_tells_an_empty_list_from_an_absent_one() -> None:
    request = from_xml(f"<ConnectRequest>{SETUP}<Entities/></ConnectRequest>")
    assert request.entities == ()


def test_it_reads_json_with_the_same_names() -> None:
    request = from_document(
        make_setup() | {"Entities": ["account", {"Name": "contact", "SyncDeletion": False}]}
    )
    assert request.entities == (
        EntityChoice(name="account"),
        EntityChoice(name="contact", sync_deletion=False),
    )


def test_it_adds_a_missing_scheme() -> None:
    assert from_document(make_setup(Url="server.example.com/")).url == "https://server.example.com"


@pytest.mark.parametrize(
    ("xml", "element", "message"),
    [
        ("<Other/>", "Other", "The document element is 'Other'; it must be 'ConnectRequest'."),
        ("<ConnectRequest/>", "SyncSetup", "'SyncSetup' is missing."),
        (
            f"<ConnectRequest>{SETUP}{SETUP}</ConnectRequest>",
            "SyncSetup",
            "'SyncSetup' is given more than once.",
        ),
        (
            "<ConnectRequest><SyncSetup><Url><a/></Url></SyncSetup></ConnectRequest>",
            "Url",
            "'Url' must hold text, but it holds elements.",
        ),
        (
            f"<ConnectRequest>{SETUP}<Entities><Table/></Entities></ConnectRequest>",
            "Entities",
            "'Entities' holds 'Table'; it takes 'Entity' or 'string' elements.",
        ),
        (
            f"<ConnectRequest>{SETUP}<Entities>a;a</Entities></ConnectRequest>",
            "Entities",
            "'Entities' names 'a' twice.",
        ),
        (
            f"<ConnectRequest>{SETUP}<Entities>a b</Entities></ConnectRequest>",
            "Entities",
            "'Entities' holds 'a b', which is no logical name of an entity.",
        ),
        (
            f'<ConnectRequest>{SETUP}<Entities><Entity Name="a" SyncDeletion="maybe"/></Entities>'
            "</ConnectRequest>",
            "SyncDeletion",
            "'SyncDeletion' is 'maybe'; it must be true or false.",
        ),
        (
            f"<ConnectRequest>{SETUP}<SyncFiltersXml><a/><b/></SyncFiltersXml></ConnectRequest>",
            "SyncFiltersXml",
            "'SyncFiltersXml' must hold one 'fetchcollection'.",
        ),
    ],
)
def test_it_names_the_element_of_wrong_xml(xml: str, element: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_xml(xml)
    assert caught.value.element == element
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("document_", "element", "message"),
    [
        ([], "ConnectRequest", "'ConnectRequest' must hold named elements."),
        ({"SyncSetup": "x"}, "SyncSetup", "'SyncSetup' must hold named elements."),
        (make_setup(Password=""), "Password", "'Password' is missing or empty."),
        (make_setup(UserName=7), "UserName", "'UserName' must be text."),
        (make_setup(UserName="x" * 255), "UserName", "'UserName' is longer than 254 characters."),
        (
            make_setup(Url="ftp://server.example.com"),
            "Url",
            "'Url' is 'ftp://server.example.com'; it must be a web address such as "
            "https://server.example.com.",
        ),
        (
            make_setup(Url="https://me:secret@server.example.com"),
            "Url",
            "'Url' must not hold a user name, a password, a query or a fragment.",
        ),
        (
            make_setup(RegistrationInfo={"Email": "nobody"}),
            "Email",
            "'Email' is 'nobody', which is no e-mail address.",
        ),
        (make_setup(RegistrationInfo={}), "Email", "'Email' is missing or empty."),
        (
            make_setup() | {"Entities": 5},
            "Entities",
            "'Entities' must be a list of entity names.",
        ),
        (
            make_setup() | {"Entities": [{"SyncDeletion": True}]},
            "Entities",
            "An 'Entity' in 'Entities' has no 'Name'.",
        ),
        (make_setup() | {"SyncFiltersXml": {}}, "SyncFiltersXml", "'SyncFiltersXml' must be text."),
    ],
)
def test_it_names_the_element_of_a_wrong_document(
    document_: object, element: str, message: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_document(document_)
    assert caught.value.element == element
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("provider", "message"),
    [("nothing", "is not a GUID"), ("00000000-0000-0000-0000-000000000000", DYNAMICS)],
)
def test_it_explains_a_wrong_provider(provider: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        from_document(make_setup(ProviderID=provider))
    assert caught.value.element == "ProviderID"


@pytest.mark.parametrize(("text", "offline"), [("true", True), ("0", False)])
@pytest.mark.parametrize("inside", [True, False])
def test_it_takes_the_write_mode_in_either_place(text: str, offline: bool, inside: bool) -> None:
    element = f"<WriteOffline>{text}</WriteOffline>"
    setup = SETUP.replace("</SyncSetup>", f"{element}</SyncSetup>") if inside else SETUP + element
    assert from_xml(f"<ConnectRequest>{setup}</ConnectRequest>").write_offline is offline


def test_it_takes_the_write_mode_of_an_entity() -> None:
    xml = '<Entities><Entity Name="account" WriteOffline="false"/><Entity Name="lead"/></Entities>'
    read = from_xml(f"<ConnectRequest>{SETUP}{xml}</ConnectRequest>")
    told = from_document(
        make_setup()
        | {"WriteOffline": True, "Entities": [{"Name": "account", "WriteOffline": False}, "lead"]}
    )
    expected = (EntityChoice(name="account", write_offline=False), EntityChoice(name="lead"))
    assert read.entities == told.entities == expected
    assert (read.write_offline, told.write_offline) == (None, True)


NAMES = {"accountid": "id", "fullname": "name"}


def test_it_takes_the_names_of_an_entity() -> None:
    text = "accountid=id; FullName = name;"
    xml = f'<Entities><Entity Name="account" Names="{text}"/><Entity Name="lead"/></Entities>'
    read = from_xml(f"<ConnectRequest>{SETUP}{xml}</ConnectRequest>").entities
    told = from_document(
        make_setup() | {"Entities": [{"Name": "account", "Names": NAMES}, "lead"]}
    ).entities
    expected = (EntityChoice(name="account", names=NAMES), EntityChoice(name="lead"))
    assert read == told == expected
    none = from_document(make_setup() | {"Entities": [{"Name": "account", "Names": ""}]})
    assert none.entities == (EntityChoice(name="account", names={}),)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("accountid", "holds 'accountid='"),
        ("account id=id", "holds 'account id=id'"),
        ({"accountid": 1}, "holds 'accountid=1'"),
        ({"a": "id", "b": "ID"}, "two attributes of one name"),
        (["accountid"], "must hold the server's names"),
    ],
)
def test_it_refuses_names_that_are_none(names: object, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        from_document(make_setup() | {"Entities": [{"Name": "account", "Names": names}]})
    assert caught.value.element == "Names"


def test_it_refuses_a_write_mode_that_is_neither() -> None:
    with pytest.raises(InvalidRequest, match="'WriteOffline' is 'later'; it must be true or false"):
        from_document(make_setup() | {"WriteOffline": "later"})
