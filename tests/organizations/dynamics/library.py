"""A small twin: a library with books, authors, shelves and meetings; and a client for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from django.http import HttpResponse
from django.test import Client

from organizations.catalog import create_organization, define, enable
from organizations.dynamics import tokens
from organizations.models import Application, Member, Organization
from organizations.records import RecordValue
from organizations.schema import (
    Attribute,
    AttributeType,
    DateBehavior,
    Entity,
    Key,
    Label,
    ManyToMany,
    OneToMany,
    Option,
    OptionSet,
)
from organizations.store import Store

T = AttributeType
HOST = "http://testserver"
SECRET = "a secret nobody guesses"
ANNOTATED = 'odata.include-annotations="*"'

WRITES = OneToMany(
    name="author_books",
    referenced_entity="author",
    referenced_attribute="authorid",
    referencing_entity="book",
    referencing_attribute="writerid",
    referencing_navigation="writerid_author",
    referenced_navigation="author_books",
)
COMPANY_WRITES = OneToMany(
    name="company_books",
    referenced_entity="company",
    referenced_attribute="companyid",
    referencing_entity="book",
    referencing_attribute="writerid",
    referencing_navigation="writerid_company",
    referenced_navigation="company_books",
)
EDITS = OneToMany(
    name="author_edited",
    referenced_entity="author",
    referenced_attribute="authorid",
    referencing_entity="book",
    referencing_attribute="editorid",
    referencing_navigation="EditorId",
    referenced_navigation="author_edited",
)
SHELVED = ManyToMany(
    name="book_shelf_association",
    entity1="book",
    attribute1="bookid",
    entity2="shelf",
    attribute2="shelfid",
    intersect_entity="bookshelf",
    navigation1="book_shelf_association",
    navigation2="book_shelf_association",
)


def key(name: str) -> Attribute:
    return Attribute(name=name, type=T.UNIQUEIDENTIFIER, is_primary_id=True, is_updatable=False)


def text(name: str = "name", length: int = 100) -> Attribute:
    return Attribute(name=name, type=T.STRING, max_length=length, is_primary_name=name == "name")


def option_set(name: str, *options: Option, is_global: bool = False) -> OptionSet:
    return OptionSet(name=name, options=options, is_global=is_global)


def option(value: int, label: str, **more: Any) -> Option:
    return Option(value=value, label=Label.of({1033: label, 1031: f"{label} (de)"}), **more)


def stamp(name: str) -> Attribute:
    return Attribute(name=name, type=T.DATETIME, is_creatable=False, is_updatable=False)


BOOK = Entity(
    name="book",
    set_name="books",
    schema_name="Book",
    label=Label.of({1033: "Book", 1031: "Buch"}),
    primary_id="bookid",
    primary_name="name",
    tracks_changes=True,
    attributes=(
        key("bookid"),
        text(),
        text("isbn", 20),
        Attribute(name="summary", type=T.MEMO, max_length=2000),
        Attribute(name="pages", type=T.INTEGER, minimum=1, maximum=100000),
        Attribute(name="weight", type=T.DECIMAL, precision=3),
        Attribute(name="price", type=T.MONEY, precision=2),
        Attribute(name="rating", type=T.DOUBLE, precision=2),
        Attribute(
            name="lent",
            type=T.BOOLEAN,
            option_set=option_set("book_lent", option(0, "No"), option(1, "Yes")),
        ),
        Attribute(
            name="kind",
            type=T.PICKLIST,
            option_set=option_set("kinds", option(1, "Novel"), option(2, "Poems"), is_global=True),
        ),
        Attribute(
            name="moods",
            type=T.MULTISELECT,
            option_set=option_set("book_moods", option(1, "Sad"), option(2, "Merry")),
        ),
        Attribute(
            name="statecode",
            type=T.STATE,
            option_set=option_set(
                "book_statecode",
                option(0, "Active", default_status=1),
                option(1, "Inactive", default_status=2),
            ),
        ),
        Attribute(
            name="statuscode",
            type=T.STATUS,
            option_set=option_set(
                "book_statuscode", option(1, "Here", state=0), option(2, "Gone", state=1)
            ),
        ),
        stamp("createdon"),
        stamp("modifiedon"),
        Attribute(
            name="printed",
            type=T.DATETIME,
            format="DateOnly",
            date_behavior=DateBehavior.DATE_ONLY,
        ),
        Attribute(name="writerid", type=T.LOOKUP, targets=("author", "company")),
        Attribute(name="editorid", type=T.LOOKUP, targets=("author",)),
        Attribute(name="editoridname", type=T.STRING, attribute_of="editorid"),
        Attribute(name="cover", type=T.IMAGE),
        Attribute(name="versionnumber", type=T.BIGINT, is_creatable=False, is_updatable=False),
    ),
    keys=(Key(name="book_isbn", attributes=("isbn",)),),
    relationships=(WRITES, COMPANY_WRITES, EDITS, SHELVED),
)
AUTHOR = Entity(
    name="author",
    set_name="authors",
    primary_id="authorid",
    primary_name="name",
    tracks_changes=False,
    checks_versions=False,
    attributes=(key("authorid"), text()),
    relationships=(WRITES, EDITS),
)
COMPANY = Entity(
    name="company",
    set_name="companies",
    primary_id="companyid",
    primary_name="name",
    attributes=(key("companyid"), text()),
    relationships=(COMPANY_WRITES,),
)
SHELF = Entity(
    name="shelf",
    set_name="shelves",
    primary_id="shelfid",
    primary_name="name",
    attributes=(key("shelfid"), text()),
    relationships=(SHELVED,),
)
BOOKSHELF = Entity(
    name="bookshelf",
    set_name="bookshelfcollection",
    primary_id="bookshelfid",
    is_intersect=True,
    tracks_changes=True,
    attributes=(
        key("bookshelfid"),
        Attribute(name="bookid", type=T.UNIQUEIDENTIFIER),
        Attribute(name="shelfid", type=T.UNIQUEIDENTIFIER),
    ),
    relationships=(SHELVED,),
)
APPOINTMENT = Entity(
    name="appointment",
    set_name="appointments",
    primary_id="activityid",
    primary_name="name",
    is_activity=True,
    attributes=(
        key("activityid"),
        text(),
        Attribute(name="requiredattendees", type=T.PARTYLIST, targets=("author",)),
        Attribute(name="organizer", type=T.PARTYLIST, targets=("author",)),
    ),
)
PARTY = Entity(
    name="activityparty",
    set_name="activityparties",
    primary_id="activitypartyid",
    attributes=(
        key("activitypartyid"),
        Attribute(name="activityid", type=T.LOOKUP, targets=("appointment",)),
        Attribute(name="partyid", type=T.LOOKUP, targets=("author", "company")),
        Attribute(name="participationtypemask", type=T.INTEGER),
        text("addressused"),
    ),
)
ENTITIES = (BOOK, AUTHOR, COMPANY, SHELF, BOOKSHELF, APPOINTMENT, PARTY)


def make_twin(name: str = "library") -> Organization:
    twin = create_organization(
        name, Organization.Kind.DYNAMICS_TWIN, display_name="Library", languages=(1033, 1031)
    )
    define(twin, ENTITIES)
    enable(twin, [entity.name for entity in ENTITIES])
    return twin


def make_application(twin: Organization, secret: str = SECRET) -> Application:
    application = Application(organization=twin, name="sync")
    application.set_secret(secret)
    application.save()
    return application


def make_member(twin: Organization, password: str = SECRET) -> Member:
    member = Member(organization=twin, email="anna@example.org", is_administrator=True)
    member.set_password(password)
    member.save()
    return member


def make(twin: Organization, entity: str, **values: RecordValue) -> str:
    return Store(twin).create(entity, values).id


class Api:
    """Speaks to a twin through Django's test client, as a connector would."""

    def __init__(self, twin: Organization) -> None:
        self.twin = twin
        self.root = f"/dynamics/{twin.name}/api/data/v9.2/"
        self.client = Client()
        application = Application(organization=twin, name="test", secret="unused")
        application.save()
        self.user = application
        self.token = tokens.issue(twin, application)

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Send a request; `path` is relative to the service's root or a whole address."""
        address = path.removeprefix(HOST)
        if not address.startswith("/"):
            address = self.root + quote(address, safe="/?&=$(),'@!%:+*")
        parts = urlsplit(address)
        return self.client.generic(  # type: ignore[return-value]
            method,
            parts.path,
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            QUERY_STRING=parts.query,
            headers={"Authorization": f"Bearer {self.token}", **(headers or {})},
        )

    def get(self, path: str, prefer: str = "", **headers: str) -> Any:
        """Return the JSON of a successful GET."""
        response = self.send("GET", path, headers={"Prefer": prefer, **headers})
        assert response.status_code == 200, (response.status_code, response.content[:500])
        return json.loads(response.content)

    def rows(self, path: str, prefer: str = "") -> list[dict[str, Any]]:
        """Return the records of one answer."""
        found: list[dict[str, Any]] = self.get(path, prefer)["value"]
        return found

    def fails(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, str, str]:
        """Return status, code and message of a refused request."""
        response = self.send(
            method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        error = json.loads(response.content)["error"]
        return response.status_code, error["code"], error["message"]
