"""Browsing records: searching, filtering, sorting, paging, and one record's page."""

from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from organizations.admin import page, records, search
from organizations.catalog import hide
from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.records import Reference
from organizations.samples import contoso
from organizations.store import Store
from organizations.tables.database import one, run
from tests.organizations.admin.making import make_account, make_contact

ENTITIES = {entity.name: entity for entity in contoso.entities()}


def get(browser: Client, organization: Organization, name: str, **query: object) -> HttpResponse:
    place = reverse("admin:organizations_organization_records", args=[organization.pk, name])
    return browser.get(place, query)  # type: ignore[return-value,arg-type]


def names(response: HttpResponse) -> list[str]:
    assert response.status_code == 200
    return [cells[0].text for _, cells in response.context["listed"].rows]  # type: ignore[attr-defined]


def record_page(browser: Client, organization: Organization, name: str, key: str, **q: str) -> str:
    place = ("admin:organizations_organization_record", [organization.pk, name, key])
    response = browser.get(reverse(place[0], args=place[1]), q)
    assert response.status_code == 200
    return response.content.decode()


def test_it_lists_records_and_counts_them(browser: Client, organization: Organization) -> None:
    for name in ("Alpha", "Beta"):
        make_account(organization, name)
    response = get(browser, organization, "account")
    assert set(names(response)) == {"Alpha", "Beta"}
    assert "2 records" in response.content.decode()


def test_it_searches_name_key_and_email(browser: Client, organization: Organization) -> None:
    make_account(organization, "Möwenstein 100%", accountnumber="AC-7", emailaddress1="x@y.example")
    key = make_account(organization, "Other")
    for text in ("mÖWEN", "ac-7", "Y.exam", "100%"):
        assert names(get(browser, organization, "account", q=text)) == ["Möwenstein 100%"]
    assert names(get(browser, organization, "account", q="1_0")) == []
    assert names(get(browser, organization, "account", q=key.upper())) == ["Other"]


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "expected"),
    [
        ("name", "eq", "alpha", ["Alpha"]),
        ("name", "like", "l%p", []),
        ("name", "like", "lph", ["Alpha"]),
        ("name", "begins-with", "be", ["Beta"]),
        ("numberofemployees", "gt", "10", ["Beta"]),
        ("industrycode", "eq", "Consulting", ["Alpha"]),
        ("industrycode", "in", "7; 12", ["Alpha"]),
        ("emailaddress1", "null", "", ["Alpha"]),
        ("birthdate", "eq", "not an attribute of account", ["Alpha", "Beta"]),
    ],
)
def test_it_filters(
    browser: Client,
    organization: Organization,
    attribute: str,
    operator: str,
    value: str,
    expected: list[str],
) -> None:
    make_account(organization, "Alpha", numberofemployees=3, industrycode=7)
    make_account(organization, "Beta", numberofemployees=30, emailaddress1="b@example.com")
    found = get(browser, organization, "account", a=attribute, o=operator, v=value, sort="name")
    assert names(found) == expected


def test_it_combines_filters(browser: Client, organization: Organization) -> None:
    for number in range(4):
        make_account(organization, f"Company {number}", numberofemployees=number)
    found = get(
        browser,
        organization,
        "account",
        a=["numberofemployees", "numberofemployees"],
        o=["ge", "lt"],
        v=["1", "3"],
        sort="-name",
    )
    assert names(found) == ["Company 2", "Company 1"]


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "message"),
    [
        ("numberofemployees", "eq", "many", "&#x27;many&#x27;"),
        ("numberofemployees", "like", "1", "like"),
        ("name", "in", "", "at least one value"),
    ],
)
def test_it_says_what_is_wrong_with_a_filter(
    browser: Client,
    organization: Organization,
    attribute: str,
    operator: str,
    value: str,
    message: str,
) -> None:
    response = get(browser, organization, "account", a=attribute, o=operator, v=value)
    assert response.status_code == 400
    assert message in response.content.decode()


def test_it_sorts_both_ways(browser: Client, organization: Organization) -> None:
    for name in ("b", "C", "a"):
        make_account(organization, name)
    assert names(get(browser, organization, "account", sort="name")) == ["a", "b", "C"]
    response = get(browser, organization, "account", sort="-name")
    assert names(response) == ["C", "b", "a"]
    assert 'aria-sort="descending"' in response.content.decode()


def test_it_pages_and_stops_where_it_says(
    browser: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(search, "MOST_PAGES", 2)
    for name in "abcde":
        make_account(organization, name)
    first = get(browser, organization, "account", sort="name")
    assert names(first) == ["a", "b"]
    assert 'rel="prev"' not in first.content.decode()
    second = get(browser, organization, "account", sort="name", p="2")
    assert names(second) == ["c", "d"]
    assert "Narrow the search" in second.content.decode()
    assert names(get(browser, organization, "account", sort="name", p="9")) == ["c", "d"]


def test_it_counts_no_further_than_it_says(
    browser: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "COUNTED", 2)
    for name in "abcd":
        make_account(organization, name)
    for order in ("", "name"):
        response = get(browser, organization, "account", a="name", o="not-null", v="", sort=order)
        assert response.context["listed"].count == 3  # type: ignore[attr-defined]
        assert "more than 10,000 records" in response.content.decode()


def test_it_pages_through_what_a_search_found(
    browser: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    made = {make_account(organization, f"Company {number}") for number in range(5)}
    make_account(organization, "Other")
    seen = []
    for number in ("1", "2", "3"):
        response = get(browser, organization, "account", q="company", p=number)
        assert "5 records" in response.content.decode()
        assert ('rel="next"' in response.content.decode()) is (number != "3")
        seen += [key for key, _ in response.context["listed"].rows]  # type: ignore[attr-defined]
    assert set(seen) == made
    assert len(seen) == 5
    assert names(get(browser, organization, "account", q="company", p="4")) == []


def test_it_shows_the_columns_asked_for(browser: Client, organization: Organization) -> None:
    make_account(organization, "Alpha", creditlimit="1234.5", statecode=1)
    text = get(browser, organization, "account", col=["creditlimit", "statecode"]).content.decode()
    assert "1,234.50" in text
    assert "Inactive" in text


def test_it_links_to_records_and_says_what_is_not_here(
    browser: Client, organization: Organization
) -> None:
    company, absent = make_account(organization, "Alpha"), str(uuid4())
    make_contact(organization, "Here", Reference("account", company))
    make_contact(organization, "Gone", Reference("account", absent))
    text = get(browser, organization, "contact", col="parentcustomerid").content.decode()
    assert f"/records/account/{company}/" in text
    assert "not on this side" in text
    assert f"/records/account/{absent}/" not in text


def test_it_shows_a_record_in_words(browser: Client, organization: Organization) -> None:
    company = make_account(
        organization, "Alpha", donotphone=True, industrycode=7, description="one\n<two>"
    )
    text = record_page(browser, organization, "account", company)
    assert "Consulting" in text
    assert "one<br>&lt;two&gt;" in text
    assert "Do Not Allow" in text
    assert "tickersymbol" not in text
    assert "tickersymbol" in record_page(browser, organization, "account", company, all="1")


def test_it_leads_from_a_record_to_those_that_point_to_it(
    browser: Client, organization: Organization
) -> None:
    company = make_account(organization, "Alpha")
    make_contact(organization, "Ann", Reference("account", company))
    make_contact(organization, "Bob")
    text = record_page(browser, organization, "account", company)
    assert f"a=parentcustomerid&amp;o=eq&amp;v={company}" in text
    found = get(browser, organization, "contact", a="parentcustomerid", o="eq", v=company)
    assert len(found.context["listed"].rows) == 1  # type: ignore[attr-defined]


def test_it_shows_parties_with_their_roles(browser: Client, organization: Organization) -> None:
    ann = make_contact(organization, "Ann")
    absent = str(uuid4())
    meeting = Store(organization).create(
        "appointment",
        {
            "subject": "Review",
            "scheduledstart": "2024-05-01T10:00:00Z",
            "scheduledend": "2024-05-01T11:00:00Z",
            "requiredattendees": f'[[5,"contact","{ann}"],[5,"account","{absent}"]]',
            "optionalattendees": '[[6,"","guest@example.com"]]',
        },
    )
    text = record_page(browser, organization, "appointment", meeting.id)
    assert f"/records/contact/{ann}/" in text
    assert "not on this side" in text
    assert "guest@example.com" in text
    assert "Optional" in text
    assert "2024-05-01 10:00:00 UTC" in text


def test_it_says_that_an_entity_is_not_enabled(browser: Client, organization: Organization) -> None:
    assert "is not enabled" in get(browser, organization, "lead").content.decode()
    hide(organization, ["account"])
    assert "is not enabled" in get(browser, organization, "account").content.decode()


def test_it_says_what_an_empty_list_waits_for(browser: Client, organization: Organization) -> None:
    assert "There are no records yet" in get(browser, organization, "account").content.decode()
    assert "No record matches" in get(browser, organization, "account", q="zz").content.decode()


def test_it_finds_no_record_that_is_not_there(browser: Client, organization: Organization) -> None:
    place = [organization.pk, "account", uuid4()]
    assert (
        browser.get(reverse("admin:organizations_organization_record", args=place)).status_code
        == 404
    )


def test_it_keeps_the_search_in_its_links() -> None:
    found = search.Search(
        text="a&b", filters=(search.Filter("name", "null", ""),), order="-name", columns=("fax",)
    )
    assert found.link(page=3) == "?q=a%26b&sort=-name&a=name&o=null&v=&col=fax&p=3"


@pytest.mark.django_db
def test_it_gives_up_what_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PATIENCE", 0.05)

    def wait() -> None:
        with page.patience():
            run("SELECT pg_sleep(5)")

    with pytest.raises(InvalidRequest, match="took longer than .* Narrow the search"):
        wait()
    assert one("SELECT current_setting('statement_timeout')") == ("0",)


@pytest.mark.django_db
def test_it_leaves_the_settings_of_the_database_as_they_were() -> None:
    with page.patience(scanning=True):
        assert one("SELECT current_setting('enable_indexscan')") == ("off",)
        assert one("SELECT current_setting('statement_timeout')") == ("8s",)
    assert one("SELECT current_setting('enable_indexscan')") == ("on",)
    assert one("SELECT current_setting('statement_timeout')") == ("0",)
