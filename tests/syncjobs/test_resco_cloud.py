"""RC1 → RC2: two organizations hosted here, of which the server is reached by its services only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import proof, service
from connections.connect.request import ConnectRequest, EntityChoice
from connections.models import Connection
from organizations import deletions
from organizations.catalog import Catalog, define
from organizations.models import ChangeLog, Organization
from organizations.samples.twins import make_twin
from organizations.schema import Attribute, AttributeType, Label
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Link, Run
from tests.syncjobs.test_main_job import rows
from tests.syncjobs.test_plans_twin import check, work

USER, PASSWORD = "admin@rc1.example", "correct horse 9"
MAIN = ("account", "contact", "lead", "competitor", "leadcompetitors", "appointment")
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Chain:
    """The two organizations and the connection between them."""

    server: Organization
    client: Organization
    connection: Connection

    def run(self, kind: str) -> Counts:
        """Carry out a run to its end; return what moved, of each entity that moved anything."""
        run = dispatch.start(self.connection, kind, reason="test", inline=True)
        runner.work(UUID(str(run.pk)))
        run.refresh_from_db()
        problems = list(run.errors.values_list("entity", "code", "message"))
        assert (run.state, problems) == (Run.State.SUCCEEDED, []), run.message
        names = ("created", "updated", "deleted", "pushed")
        found = {item.name: {n: getattr(item, n) for n in names} for item in run.entities.all()}
        return {
            name: {verb: count for verb, count in counts.items() if count}
            for name, counts in found.items()
            if any(counts.values())
        }

    def sync(self) -> Counts:
        return self.run(Run.Kind.SYNC)

    def assert_equal(self) -> None:
        for entity in MAIN:
            there, here = rows(self.server, entity), rows(self.client, entity)
            assert there, entity
            assert there == here, entity

    def written(self) -> tuple[Any, ...]:
        """Return what any write of a run would move, on both sides."""
        links = list(Link.objects.order_by("server_id", "pk").values())
        versions = Organization.objects.order_by("name").values_list("name", "row_version")
        return ChangeLog.objects.count(), list(versions), links


@pytest.fixture
def chain(transactional_db: None, live_server: LiveServer, settings: Settings) -> Chain:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    server = make_twin("rc1", records=200, seed=7, email=USER, password=PASSWORD).organization
    # The sample, served as a Resco Cloud organization.
    server.kind = Organization.Kind.CLIENT
    server.save(update_fields=["kind"])
    deletions.define(server)
    base = live_server.url.replace("localhost", "127.0.0.1")
    request = ConnectRequest(
        backend="resco_cloud",
        url=f"{base}/rc1/",
        user_name=USER,
        password=PASSWORD,
        entities=tuple(EntityChoice(name=name, sync_deletion=True) for name in MAIN),
    )
    new = service.NewClient(
        name="rc2", email="admin@rc2.example", password="a long enough phrase", person={}
    )
    connection = service.connect(proof.prove(request), new)
    chain = Chain(server, Organization.objects.get(name="rc2"), connection)
    chain.run(Run.Kind.CONNECT)
    return chain


def test_it_carries_both_ways_once(chain: Chain) -> None:
    counts = chain.sync()
    assert counts == {name: {"created": len(rows(chain.server, name))} for name in MAIN}
    chain.assert_equal()
    there, here = Store(chain.server), Store(chain.client)
    first, second, third, fourth = list(rows(chain.server, "account"))[:4]
    there.update("account", first, {"name": "Renamed on RC1"})
    there.delete("account", second)
    here.update("account", third, {"name": "Renamed on RC2", "description": "a\r\nb <c> & d"})
    here.delete("account", fourth)
    made = here.create("account", {"name": "Made on RC2", "revenue": "12.5"}).id
    (pair,) = list(rows(chain.server, "leadcompetitors"))[:1]
    here.disassociate("leadcompetitors_association", *pair.split("/"))
    counts = chain.sync()
    # Up to two more bring back when, by its own clock to the second, the server was written to.
    assert 1 <= counts["account"].pop("updated") <= 3
    assert counts["account"] == {"deleted": 1, "pushed": 3}
    assert counts["leadcompetitors"] == {"pushed": 1}
    chain.assert_equal()
    values = there.get("account", made).values
    assert (values["name"], str(values["revenue"])) == ("Made on RC2", "12.50")
    assert pair not in rows(chain.server, "leadcompetitors")

    before = chain.written()
    assert chain.sync() == {}
    assert chain.written() == before


@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_predicts_runs(chain: Chain, seed: int) -> None:
    chain.sync()
    check(chain.connection, Store(chain.server), Store(chain.client), seed=seed)


def test_a_plan_holds_though_the_server_stamps_what_is_delivered(chain: Chain) -> None:
    chain.sync()
    long_ago = {"name": "Renamed on RC2", "modifiedon": "2024-01-01T00:00:00Z"}
    Store(chain.client).update("account", next(iter(rows(chain.server, "account"))), long_ago)
    made = work(dispatch.start_sync(chain.connection, dry_run=True, reason="test"))
    real = work(dispatch.start_apply(chain.connection, made.pk, reason="test"))
    assert (real.state, real.message) == (Run.State.SUCCEEDED, made.message)
    chain.assert_equal()


def test_a_conflict_goes_by_the_rule(chain: Chain) -> None:
    chain.sync()
    record = next(iter(rows(chain.server, "account")))
    chain.connection.entities.update(conflict_rule="client")
    Store(chain.server).update("account", record, {"name": "RC1's"})
    Store(chain.client).update("account", record, {"name": "RC2's"})
    chain.sync()
    assert Store(chain.server).get("account", record).values["name"] == "RC2's"
    chain.assert_equal()


def test_it_takes_over_metadata_and_labels(chain: Chain) -> None:
    account = Catalog(chain.client).entity("account")
    assert account.label.text(1033) == "Account"
    pair = Catalog(chain.client).entity("leadcompetitors").intersect
    assert pair is not None
    assert (pair.entity1, pair.entity2) == ("lead", "competitor")
    given = Catalog(chain.server).entity("account")
    label = Label.of({1033: "Shoe Size"})
    added = Attribute(name="new_shoesize", type=AttributeType.INTEGER, label=label, maximum=60)
    define(chain.server, [replace(given, attributes=(*given.attributes, added))])
    chain.run(Run.Kind.UPDATE_SERVER)
    taken = Catalog(chain.client).entity("account").attribute("new_shoesize")
    assert taken is not None
    assert (taken.type, taken.label, taken.maximum) == (AttributeType.INTEGER, label, 60)
    assert service.preview(chain.connection).is_empty
