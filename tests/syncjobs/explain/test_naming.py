"""Which record an id or an address names."""

from __future__ import annotations

import pytest

from organizations.errors import InvalidRequest
from syncjobs.explain.naming import Named, parse, resolve

ID = "0a1b2c3d-0000-4000-8000-00000000000f"


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        (ID, ""),
        (f" {{{ID.upper()}}} ", ""),
        (ID.replace("-", ""), ""),
        (f"account {ID}", "account"),
        (f"account,{{{ID}}}", "account"),
        (f"accounts({ID})", "accounts"),
        (f"https://org.crm4.dynamics.com/main.aspx?etn=account&id={ID}&pagetype=x", "account"),
        (f"https://org.crm4.dynamics.com/main.aspx?etn=lead&id=%7b{ID.upper()}%7d", "lead"),
        (f"https://o.example/main.aspx?appid={ID[:-1]}1&pagetype=entityrecord&etn=x&id={ID}", "x"),
        (f"https://o.example/main.aspx#pagetype=entityrecord&etn=task&id={ID}", "task"),
        (f"https://o.example/main.aspx?id={ID}&etc=1", ""),
        (f"https://o.example/api/data/v9.2/accounts({ID})", "accounts"),
        (f"https://o.example/api/data/v9.2/accounts(accountid={ID})?$select=name", "accounts"),
        (f"http://h/admin/organizations/organization/{ID[:-1]}1/records/lead/{ID}/", "lead"),
        (f"/rest/v1/data/field/contact/{ID}", "contact"),
    ],
)
def test_it_reads(text: str, entity: str) -> None:
    assert parse(text) == Named(ID, entity)


@pytest.mark.parametrize("text", ["", "account", "12345", f"account {ID}0", "account name"])
def test_it_refuses_what_names_no_record(text: str) -> None:
    with pytest.raises(InvalidRequest, match="names no record. Give an id, an entity") as caught:
        parse(text)
    assert caught.value.element == "record"


@pytest.mark.parametrize("text", ["https://o.example/main.aspx?etn=account", "https://o.example/"])
def test_it_refuses_an_address_without_an_id(text: str) -> None:
    with pytest.raises(InvalidRequest, match="The address 'https://o.example/"):
        parse(text)


@pytest.mark.parametrize("entity", ["account", "Account", "accounts", "ACCOUNTS"])
def test_it_finds_the_entity_by_name_and_by_set(entity: str) -> None:
    assert resolve(entity, ["account", "lead"], {"accounts": "account"}) == "account"


def test_it_refuses_an_entity_that_is_not_there() -> None:
    with pytest.raises(InvalidRequest, match="The connection has no entity 'case'.") as caught:
        resolve("case", ["account"], {"accounts": "account"})
    assert caught.value.element == "record"
