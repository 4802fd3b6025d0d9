"""Organizations of the authors' topologies: two Dynamics twins, and Resco Clouds behind them.

Each is reached over real HTTP. The twins hold a few entities only, so that many connections are
made in little time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import requests

from connections.models import Connection, Endpoint
from organizations import deletions
from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.errors import NotFound
from organizations.members import add_member
from organizations.models import Application, Organization
from organizations.query.nodes import Query
from organizations.samples import contoso, sales
from organizations.schema import Attribute, Entity, ManyToMany, Relationship
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.images import split
from syncjobs.models import Image, Run
from tests.acceptance.place import ADMIN, DYNAMICS, SECONDS

RESCO_CLOUD = "2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a01"
CARRIED = ("account", "lead", "competitor", "leadcompetitors")
TEXTS = {"account": "name", "lead": "subject", "competitor": "name"}
"""By which attribute records are told apart; it has the same name everywhere."""
_SERVED = (*CARRIED, "activityparty")
_NATIVE = (*CARRIED, "activityparty")
_KEPT = frozenset(
    {
        "companyname",
        "createdon",
        "firstname",
        "fullname",
        "lastname",
        "modifiedon",
        "ownerid",
        "parentaccountid",
        "revenue",
        "statecode",
        "statuscode",
        "subject",
        "telephone1",
        "versionnumber",
    }
)
_PAIR = "leadcompetitors_association"


@dataclass(frozen=True)
class Side:
    """One organization: its records by entity and text."""

    name: str

    @property
    def store(self) -> Store:
        """Its records, by its newest metadata."""
        return Store(Organization.objects.get(name=self.name))

    def texts(self, entity: str) -> dict[str, str]:
        """Id → text."""
        key = self.store.catalog.entity(entity).primary_id
        rows = self.store.query(Query(entity=entity, select_all=True)).rows
        return {str(row[key]): str(row[TEXTS[entity]]) for row in rows}

    def pairs(self) -> set[tuple[str, str]]:
        """Lead and competitor of each pair."""
        rows = self.store.query(Query(entity="leadcompetitors", select_all=True)).rows
        return {(_id(row["leadid"]), _id(row["competitorid"])) for row in rows}

    def everything(self) -> dict[str, Any]:
        """All texts and pairs."""
        return {name: self.texts(name) for name in TEXTS} | {"pairs": self.pairs()}

    def make(self, entity: str, text: str) -> str:
        more = {"lastname": "Lead", "companyname": "Company"} if entity == "lead" else {}
        return self.store.create(entity, {TEXTS[entity]: text, **more}).id

    def change(self, entity: str, record: str, text: str) -> None:
        self.store.update(entity, record, {TEXTS[entity]: text})

    def delete(self, entity: str, record: str) -> None:
        self.store.delete(entity, record)

    def link(self, lead: str, competitor: str) -> None:
        self.store.associate(_PAIR, lead, competitor)

    def unlink(self, lead: str, competitor: str) -> None:
        assert self.store.disassociate(_PAIR, lead, competitor)

    def text(self, entity: str, record: str) -> str | None:
        """The text of a record; None where there is none."""
        try:
            return str(self.store.get(entity, record).values[TEXTS[entity]])
        except NotFound:
            return None


def _id(value: object) -> str:
    return str(getattr(value, "id", value))


@dataclass(frozen=True)
class Twin(Side):
    """A Dynamics organization, with an application user."""

    base: str
    login: tuple[str, str]

    @property
    def url(self) -> str:
        return f"{self.base}/dynamics/{self.name}"


def make_twin(base: str, name: str, *, records: int = 3) -> Twin:
    """Make a twin with a few records of everything that is carried."""
    organization = create_organization(name, Organization.Kind.DYNAMICS_TWIN)
    define(organization, _small(contoso.entities(), _SERVED))
    enable(organization, _SERVED)
    application, secret = Application(organization=organization, name="acceptance"), str(uuid4())
    application.set_secret(secret)
    application.save()
    twin = Twin(name, base, (str(application.pk), secret))
    for number in range(records):
        twin.make("account", f"Account {number} of {name}")
        lead = twin.make("lead", f"Lead {number} of {name}")
        twin.link(lead, twin.make("competitor", f"Competitor {number} of {name}"))
    return twin


def make_as_sales(name: str) -> Side:
    """Make a Resco Cloud organization with native entities and a few records."""
    organization = create_organization(name, Organization.Kind.CLIENT)
    deletions.define(organization)
    define(organization, _small(sales.entities(), _NATIVE))
    enable(organization, _NATIVE)
    add_member(organization, *ADMIN, is_administrator=True)
    side = Side(name)
    side.make("account", f"Account of {name} alone")
    return side


def make_bare(name: str) -> Side:
    """Make a Resco Cloud organization that has nothing yet but its administrator."""
    organization = create_organization(name, Organization.Kind.CLIENT)
    deletions.define(organization)
    add_member(organization, *ADMIN, is_administrator=True)
    return Side(name)


def _small(entities: Iterable[Entity], names: Collection[str]) -> list[Entity]:
    """Return these entities with few of their attributes: what they carry is tried elsewhere."""
    return [
        replace(
            entity,
            keys=(),
            relationships=tuple(filter(_is_possible, entity.relationships)),
            attributes=tuple(item for item in entity.attributes if _is_kept(entity, item)),
        )
        for entity in entities
        if entity.name in names
    ]


def _is_kept(entity: Entity, item: Attribute) -> bool:
    is_named = item.is_primary_id or item.is_primary_name or item.name in _KEPT
    return is_named or entity.name not in TEXTS


def _is_possible(relationship: Relationship) -> bool:
    if isinstance(relationship, ManyToMany) or relationship.referencing_entity not in TEXTS:
        return True
    return relationship.referencing_attribute in _KEPT


@dataclass(frozen=True)
class Joint:
    """A connection, by the name of its client."""

    name: str

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(name=self.name)

    def run(self, kind: str = Run.Kind.SYNC) -> Run:
        """Carry a run out as a worker does; it must succeed."""
        return work(dispatch.start(self.connection, kind, reason="test").pk)

    def sync(self) -> dict[str, int]:
        """Sync All; return what it moved."""
        names = ("created", "updated", "deleted", "pushed")
        rows = list(self.run().entities.values(*names))
        sums = {name: sum(row[name] for row in rows) for name in names}
        return {name: count for name, count in sums.items() if count}

    def disconnect(self) -> None:
        connection = self.connection
        server, client = connection.server, connection.client
        connection.delete()
        server.delete()
        client.delete()


def work(run_id: UUID) -> Run:
    """Carry a run out; it must succeed."""
    runner.work(run_id)
    run = Run.objects.get(pk=run_id)
    told = [run.message, *run.errors.values_list("entity", "record", "code", "message")]
    assert run.state == Run.State.SUCCEEDED, told
    return run


def connect(base: str, server: Side, client: str, *names: str, at: str = "") -> Joint:
    """Connect by the web service, carrying all or these entities, and carry the job out.

    With `at` the client is the organization of that name, reached by its own services only.
    """
    setup: dict[str, Any] = {
        "ProviderID": RESCO_CLOUD,
        "Url": f"{base}/{server.name}",
        "UserName": ADMIN[0],
        "Password": ADMIN[1],
        "RegistrationInfo": {"Email": ADMIN[0], "FirstName": "Given", "LastName": "Family"},
    }
    if isinstance(server, Twin):
        user, secret = server.login
        setup |= {"ProviderID": DYNAMICS, "Url": server.url, "UserName": user, "Password": secret}
    entities = [{"Name": name, "SyncDeletion": True} for name in names or CARRIED]
    document = {"SyncSetup": setup, "Entities": entities}
    document |= {"ClientUrl": f"{base}/{at}"} if at else {}
    url = f"{base}/rest/v1/sync/{client}/ConnectAsync"
    answer = requests.post(url, json=document, auth=ADMIN, timeout=SECONDS)
    assert answer.status_code == 202, answer.text
    work(UUID(answer.headers["Location"].rsplit("/", 1)[1]))
    return Joint(client)


def clean_up(prefix: str) -> None:
    """Remove the connections and organizations whose names begin so."""
    Connection.objects.filter(name__startswith=prefix).delete()
    Endpoint.objects.filter(server_connection=None, clients=None).delete()
    for organization in Organization.objects.filter(name__startswith=prefix):
        delete_organization(organization)


@dataclass
class Observer:
    """Counts what connections write to each organization from now on."""

    ends: Mapping[str, Sequence[tuple[str, str]]]
    """Organization → connection and side by which it is written."""
    since: int = field(init=False)

    def __post_init__(self) -> None:
        last = Image.objects.order_by("-pk").values_list("pk", flat=True).first()
        self.since = last or 0

    def done(self, entity: str, action: str, record: str = "") -> dict[str, int]:
        """Return how many records, or how often one, were created or deleted, by organization."""
        wanted = UUID(record).bytes if record else b""
        found = {}
        for name in self.ends:
            ids = [i for image in self._images(name, entity, action) for i in _ids(image)]
            count = ids.count(wanted) if wanted else len(ids)
            if count:
                found[name] = count
        return found

    def changed(self, entity: str, before: str) -> dict[str, int]:
        """Return how often a record was changed from that text, by organization."""
        found = {}
        for name in self.ends:
            rows = (row for image in self._images(name, entity, "update") for row in _rows(image))
            count = sum(row.get(TEXTS[entity]) == before for row in rows)
            if count:
                found[name] = count
        return found

    def _images(self, name: str, entity: str, action: str) -> list[Image]:
        images = Image.objects.filter(pk__gt=self.since, entity__name=entity, action=action)
        pairs = self.ends[name]
        return [image for image in images if (image.entity.connection.name, image.side) in pairs]


def _ids(image: Image) -> list[bytes]:
    return list(split(bytes(image.ids)))


def _rows(image: Image) -> list[dict[str, Any]]:
    before = image.before or {"columns": [], "rows": []}
    return [dict(zip(before["columns"], row, strict=True)) for row in before["rows"]]
