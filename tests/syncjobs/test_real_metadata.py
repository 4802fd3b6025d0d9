"""Real metadata, all the way: a real definition → twin → HTTP → ConnectAsync → client.

The raw JSON is compared with what the twin serves and with what the client holds. Nothing may
differ but what the lists below name with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import requests
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from organizations.catalog import Catalog, create_organization, define
from organizations.dynamics.codec import attribute_to_json, entity_from_json, entity_to_json
from organizations.models import Application, Organization
from organizations.schema import Attribute, Entity, Option
from organizations.store import Store
from syncjobs import runner
from tests.organizations.dynamics.differences import differences
from tests.organizations.dynamics.shared_data import definition

Json = dict[str, Any]
DANISH = 1030
LANGUAGES = (DANISH, 1031, 1033, 1044, 1045, 1053)
ADMIN = ("admin@field.example", "a long enough phrase")
SECRET = "a secret of the twin"
PROVIDER = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
LEAD = "EntityDefinitions(LogicalName='lead')"
CRM = "Microsoft.Dynamics.CRM."
RELATIONSHIPS = tuple(f"{kind}Relationships" for kind in ("OneToMany", "ManyToOne", "ManyToMany"))
NAVIGATIONS = ("Attributes", "Keys", *RELATIONSHIPS)
WITH_OPTIONS = ("Picklist", "MultiSelectPicklist", "State", "Status", "Boolean", "EntityName")

IGNORED_SERVED = {
    ".@odata.context": "the address of the answer, not a property of the entity",
}
IGNORED_HELD = {
    ".@odata.context": "the address of the answer, not a property of the entity",
}


@dataclass(frozen=True)
class World:
    """The twin's web service, signed in to, and the client that took its metadata over."""

    api: str
    token: str

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.get(f"{self.api}{path}", headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str) -> list[Json]:
        """Return the elements of a list."""
        found: list[Json] = self.get(path)["value"]
        return found


@pytest.fixture
def raw() -> Json:
    return definition("lead")


@pytest.fixture
def world(raw: Json, transactional_db: None, live_server: LiveServer, settings: Settings) -> World:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    twin = create_organization("real", Organization.Kind.DYNAMICS_TWIN, languages=LANGUAGES)
    define(twin, [entity_from_json(raw)])
    application = Application(organization=twin, name="test")
    application.set_secret(SECRET)
    application.save()
    connect(base, f"{base}/dynamics/real", str(application.id))
    return World(f"{base}/dynamics/real/api/data/v9.2/", sign_in(base, str(application.id)))


def connect(base: str, url: str, client_id: str) -> None:
    """Connect a new client by ConnectAsync, and carry the job out as a worker would."""
    setup = {
        "ProviderID": PROVIDER,
        "Url": url,
        "UserName": client_id,
        "Password": SECRET,
        "RegistrationInfo": {"Email": ADMIN[0]},
    }
    door = f"{base}/rest/v1/sync/field/ConnectAsync"
    document = {"SyncSetup": setup, "Entities": "lead"}
    accepted = requests.post(door, json=document, auth=ADMIN, timeout=60)
    assert accepted.status_code == 202, accepted.text
    location = accepted.headers["Location"]
    runner.work(UUID(location.rsplit("/", 1)[1]))
    json = {"Accept": "application/json"}
    status = requests.get(location, auth=ADMIN, headers=json, timeout=60).json()
    assert status["status"] == "Succeeded", status


def sign_in(base: str, client_id: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": SECRET,
        "scope": f"{base}/dynamics/real/.default",
    }
    answer = requests.post(f"{base}/dynamics/real/oauth2/v2.0/token", data=form, timeout=60)
    token: str = answer.json()["access_token"]
    return token


def held() -> Entity:
    """Return the client's own definition."""
    return Catalog(Organization.objects.get(name="field")).entity("lead")


def served(world: World) -> Json:
    """Return what the twin serves of the entity: all expanded, option sets after a cast."""
    document: Json = world.get(f"{LEAD}?$expand={','.join(NAVIGATIONS)}")
    attributes = {item["LogicalName"]: item for item in document["Attributes"]}
    for kind in WITH_OPTIONS:
        cast = f"{LEAD}/Attributes/{CRM}{kind}AttributeMetadata"
        for row in world.rows(f"{cast}?$select=LogicalName&$expand=OptionSet"):
            attributes[row["LogicalName"]]["OptionSet"] = row["OptionSet"]
    return document


def test_the_twin_serves_every_property(world: World, raw: Json) -> None:
    assert set(differences(raw, served(world))) == set(IGNORED_SERVED)


def test_each_list_and_each_cast_says_the_same(world: World, raw: Json) -> None:
    for name in RELATIONSHIPS:
        assert list(differences(raw[name], world.rows(f"{LEAD}/{name}"))) == []
    kinds = {a["@odata.type"] for a in raw["Attributes"] if a.get("@odata.type")}
    for kind in kinds:
        expected = [
            {name: value for name, value in item.items() if name != "OptionSet"}
            for item in raw["Attributes"]
            if item.get("@odata.type") == kind
        ]
        rows = world.rows(f"{LEAD}/Attributes/{kind.removeprefix('#')}")
        assert list(differences(expected, rows)) == [], kind


def test_the_client_holds_every_property(world: World, raw: Json) -> None:
    assert set(differences(raw, entity_to_json(held(), language=DANISH))) == set(IGNORED_HELD)


def plain(value: Any) -> Any:
    return value["Value"] if isinstance(value, dict) else value


def texts(label: Any) -> dict[int, str]:
    """The texts of a raw label by language, empty ones left out."""
    listed = (label or {}).get("LocalizedLabels") or []
    return {item["LanguageCode"]: item["Label"] for item in listed if item["Label"]}


ENTITY: Mapping[str, tuple[Callable[[Any], Any], Callable[[Entity], Any]]] = {
    "LogicalName": (plain, lambda entity: entity.name),
    "SchemaName": (plain, lambda entity: entity.schema_name),
    "EntitySetName": (plain, lambda entity: entity.set_name),
    "ObjectTypeCode": (plain, lambda entity: entity.type_code),
    "OwnershipType": (plain, lambda entity: entity.ownership.value),
    "PrimaryIdAttribute": (plain, lambda entity: entity.primary_id),
    "PrimaryNameAttribute": (plain, lambda entity: entity.primary_name),
    "IsIntersect": (plain, lambda entity: entity.is_intersect),
    "IsActivity": (plain, lambda entity: entity.is_activity),
    "IsCustomEntity": (plain, lambda entity: entity.is_custom),
    "ChangeTrackingEnabled": (plain, lambda entity: entity.tracks_changes),
    "IsOptimisticConcurrencyEnabled": (plain, lambda entity: entity.checks_versions),
    "DisplayName": (texts, lambda entity: dict(entity.label.texts)),
    "DisplayCollectionName": (texts, lambda entity: dict(entity.collection_label.texts)),
    "Description": (texts, lambda entity: dict(entity.description.texts)),
}
ATTRIBUTE: Mapping[str, tuple[Callable[[Any], Any], Callable[[Attribute], Any]]] = {
    "LogicalName": (plain, lambda attribute: attribute.name),
    "SchemaName": (plain, lambda attribute: attribute.schema_name),
    "AttributeOf": (plain, lambda attribute: attribute.attribute_of),
    "IsPrimaryName": (plain, lambda attribute: attribute.is_primary_name),
    "IsCustomAttribute": (plain, lambda attribute: attribute.is_custom),
    "RequiredLevel": (plain, lambda attribute: attribute.required.value),
    "MaxLength": (plain, lambda attribute: attribute.max_length),
    "Targets": (tuple, lambda attribute: attribute.targets),
    "DisplayName": (texts, lambda attribute: dict(attribute.label.texts)),
    "Description": (texts, lambda attribute: dict(attribute.description.texts)),
}
"""How a raw property reads, and the word of the vocabulary that must say the same."""


def test_the_vocabulary_says_what_the_raw_properties_say(world: World, raw: Json) -> None:
    lead = held()
    wrong = [name for name, (read, word) in ENTITY.items() if read(raw[name]) != word(lead)]
    for item in raw["Attributes"]:
        attribute = lead.attribute(item["LogicalName"])
        assert attribute is not None, item["LogicalName"]
        wrong += [
            f"{attribute.name}.{name}"
            for name, (read, word) in ATTRIBUTE.items()
            if name in item and read(item[name]) != word(attribute)
        ]
        wrong += [f"{attribute.name}.{name}" for name in unlike(item, attribute)]
    assert wrong == []
    assert len(lead.attributes) == len(raw["Attributes"]) == 312


def unlike(raw: Json, attribute: Attribute) -> Iterator[str]:
    """Yield what of numbers, dates and options differs, where the type has them."""
    kind = raw["AttributeType"]
    if kind in ("Integer", "Decimal", "Double", "Money"):
        bounds = {"MinValue": attribute.minimum, "MaxValue": attribute.maximum}
        places = {} if kind == "Integer" else {"Precision": attribute.precision}
        yield from (name for name, value in {**bounds, **places}.items() if raw[name] != value)
    if kind == "DateTime" and raw["DateTimeBehavior"]["Value"] != attribute.date_behavior.value:
        yield "DateTimeBehavior"
    if raw.get("OptionSet"):
        found = attribute.option_set
        if found is None or options(raw["OptionSet"]) != [option(o) for o in found.options]:
            yield "OptionSet"


def options(raw: Json) -> list[tuple[Any, ...]]:
    """The options of a raw option set: value, state, default status, texts in all languages."""
    listed = raw.get("Options") or [raw["FalseOption"], raw["TrueOption"]]
    return [
        (item["Value"], item.get("State"), item.get("DefaultStatus"), texts(item["Label"]))
        for item in listed
    ]


def option(held: Option) -> tuple[Any, ...]:
    return (held.value, held.state, held.default_status, dict(held.label.texts))


def test_each_property_has_a_word_or_is_kept_beside_or_follows(world: World, raw: Json) -> None:
    """Where neither the vocabulary nor the extras hold it, it follows from what they hold."""
    lead = held()
    follows = entity_to_json(replace(lead, extras={}), language=DANISH)
    known = ENTITY.keys() | set(NAVIGATIONS) | {"@odata.context"}
    lost = [name for name in raw.keys() - known if not kept(raw, name, lead.extras, follows)]
    for item in raw["Attributes"]:
        attribute = lead.attribute(item["LogicalName"])
        assert attribute is not None
        bare = attribute_to_json(replace(attribute, extras={}), "lead", language=DANISH)
        lost += [
            f"{attribute.name}.{name}"
            for name in item.keys() - ATTRIBUTE.keys() - {"OptionSet"}
            if not kept(item, name, attribute.extras, bare)
        ]
    assert lost == []


def kept(raw: Json, name: str, extras: Mapping[str, Any], follows: Json) -> bool:
    held = extras if name in extras else follows
    return name in held and bool(held[name] == raw[name])


def test_the_client_can_keep_records_of_it(world: World) -> None:
    store = Store(Organization.objects.get(name="field"))
    made = store.create("lead", {"subject": "Träume", "lastname": "Ødegård"})
    assert store.get("lead", made.id).values["lastname"] == "Ødegård"
