"""The list of organizations, their entities and metadata."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from organizations.models import Organization
from organizations.tables import sizes
from organizations.tables.database import run
from tests.organizations.admin.making import make_account, make_organization


def text_of(browser: Client, name: str, *args: object, **query: str) -> str:
    response = browser.get(reverse(f"admin:organizations_organization_{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def test_it_lists_organizations(browser: Client, organization: Organization) -> None:
    page = text_of(browser, "changelist")
    assert "field" in page
    assert "Resco Cloud organization" in page


def test_it_shows_entities_with_their_numbers(browser: Client, organization: Organization) -> None:
    make_account(organization, "Nordwind")
    page = text_of(browser, "change", organization.pk)
    assert "3 of 6 entities enabled" in page
    assert '<td class="n">1</td>' in page
    assert "not enabled" in page


def test_it_finds_entities(browser: Client, organization: Organization) -> None:
    found = text_of(browser, "change", organization.pk, q="compet")
    assert "leadcompetitors" in found
    assert ">appointment<" not in found
    only = text_of(browser, "change", organization.pk, only="enabled")
    assert ">leadcompetitors<" not in only
    assert "No entity matches" in text_of(browser, "change", organization.pk, q="zzz")


def test_it_says_what_an_empty_organization_waits_for(browser: Client) -> None:
    empty = Organization.objects.create(name="empty")
    assert "no entities yet" in text_of(browser, "change", empty.pk)


def test_it_shows_labels_in_the_language_chosen(
    browser: Client, organization: Organization
) -> None:
    assert ">Firma<" in text_of(browser, "change", organization.pk, lang="1031")
    assert "Kontakty" in text_of(browser, "entity", organization.pk, "contact", part="labels")
    assert "Kontakt" in text_of(browser, "entity", organization.pk, "contact")


def test_it_shows_attributes_with_their_limits(browser: Client, organization: Organization) -> None:
    page = text_of(browser, "entity", organization.pk, "account")
    assert "up to 160 characters" in page
    assert "-90 to 90, 5 decimals" in page
    assert "33 choices, own set account_industrycode" in page
    assert "primary id, set once" in page
    assert "ApplicationRequired" in page
    assert "rollup" in page
    found = text_of(browser, "entity", organization.pk, "account", q="revenue")
    assert "openrevenue" in found
    assert "tickersymbol" not in found


def test_it_shows_choices_in_all_languages(browser: Client, organization: Organization) -> None:
    page = text_of(browser, "entity", organization.pk, "lead", part="choices")
    assert "Nicht qualifiziert" in page
    assert "Diskvalifikovaný" in page
    assert "budgetstatus (global)" in page


def test_it_shows_relationships_of_every_kind(browser: Client, organization: Organization) -> None:
    page = text_of(browser, "entity", organization.pk, "lead", part="relationships")
    assert "leadcompetitors_association" in page
    assert "lead_parent_account" in page
    assert "regardingobjectid" in page


@pytest.mark.parametrize("part", ["attributes", "choices", "relationships", "labels", "nonsense"])
@pytest.mark.parametrize("name", ["appointment", "leadcompetitors"])
def test_it_shows_every_part_of_an_entity(
    browser: Client, organization: Organization, part: str, name: str
) -> None:
    assert name in text_of(browser, "entity", organization.pk, name, part=part)


def test_it_knows_no_entity_of_another_name(browser: Client, organization: Organization) -> None:
    place = reverse("admin:organizations_organization_entity", args=[organization.pk, "nothing"])
    assert browser.get(place).status_code == 404


def test_it_shows_nothing_to_strangers(organization: Organization) -> None:
    client = Client()
    place = reverse("admin:organizations_organization_change", args=[organization.pk])
    assert client.get(place).status_code == 302
    client.force_login(User.objects.create_user("staff", password="x", is_staff=True))
    assert client.get(place).status_code == 403


def test_it_offers_no_deletion(browser: Client, organization: Organization) -> None:
    place = reverse("admin:organizations_organization_delete", args=[organization.pk])
    assert browser.post(place, {"post": "yes"}).status_code == 403


def test_it_makes_an_organization(browser: Client) -> None:
    form = {
        "name": "new-one",
        "display_name": "New One",
        "language": "1031",
        "email": "ann@example.com",
        "password": "Correct-horse-9",
        "again": "Correct-horse-9",
    }
    response = browser.post(reverse("admin:organizations_organization_add"), form)
    made = Organization.objects.get(name="new-one")
    assert response.status_code == 302
    assert made.language == 1031
    assert made.members.get().is_administrator


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Bad Name"}, "lower-case letters"),
        ({"name": "field"}, "exists already"),
        ({"again": "other"}, "two passwords differ"),
        ({"password": "12345678", "again": "12345678"}, "too common"),
    ],
)
def test_it_makes_no_organization_of_wrong_input(
    browser: Client, organization: Organization, changes: dict[str, str], message: str
) -> None:
    password = "Correct-horse-9"
    form = {"name": "new-one", "language": "1033", "email": "ann@example.com"}
    form |= {"password": password, "again": password} | changes
    response = browser.post(reverse("admin:organizations_organization_add"), form)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert Organization.objects.count() == 1


def test_it_estimates_large_tables_and_counts_small_ones(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization("sizes")
    for number in range(4):
        make_account(organization, f"Company {number}")
    assert sizes.sizes(organization.schema, ["account", "contact"]) == {"account": 4, "contact": 0}
    monkeypatch.setattr(sizes, "COUNTED", 2)
    assert sizes.sizes(organization.schema, ["account"]) == {"account": 3}
    run(f'ANALYZE "{organization.schema}"."account"')
    assert sizes.sizes(organization.schema, ["account"]) == {"account": 4}
