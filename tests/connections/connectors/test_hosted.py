"""The hosted connector: checkpoints, resuming, origin, and the store's errors in its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from connections import registry
from connections.connectors.base import Batch, FailureKind, ReadRequest, VersionCheck
from connections.connectors.hosted import HostedConnector
from connections.errors import CheckpointExpired, MetadataChanged, Refused, UnknownEntity
from connections.models import Endpoint
from organizations import catalog
from organizations.models import EntityDefinition, Organization
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Action, Page, Row
from organizations.schema import Entity
from tests.organizations.making import (
    make_account,
    make_attribute,
    make_id,
    make_organization,
    make_rivals,
)

pytestmark = pytest.mark.django_db
ORIGIN = "7f7f7f7f-0000-4000-8000-000000000001"
COLUMNS = ("accountid", "name", "employees")
ACCOUNT = make_account()
ATTRIBUTES = tuple(item for item in ACCOUNT.attributes if item.name in COLUMNS)


def make_connector(*entities: Entity) -> HostedConnector:
    return HostedConnector(make_organization(*(entities or (ACCOUNT,))), origin=ORIGIN)


def make_batch(action: Action, rows: Sequence[Row], expected: Sequence[int] = ()) -> Batch:
    columns = COLUMNS[:1] if action is Action.DELETE else COLUMNS
    versions = expected or [0] * len(rows)
    return Batch(action=action, columns=columns, rows=rows, expected=versions)


def make_filled(count: int) -> tuple[HostedConnector, list[Row]]:
    connector = make_connector()
    rows: list[Row] = [(make_id(), f"Číslo {n}", n) for n in range(count)]
    connector.write(ACCOUNT, make_batch(Action.CREATE, rows))
    return connector, rows


def ask(**more: Any) -> ReadRequest:
    return replace(ReadRequest(entity=ACCOUNT, attributes=ATTRIBUTES), **more)


def at_least(number: int) -> Query:
    condition = Condition("employees", Operator.GE, (number,))
    return Query(entity="account", filter=Group(children=(condition,)))


def read_rows(pages: Sequence[Page]) -> list[Row]:
    return [row for page in pages for row in page.rows]


def test_it_says_where_it_is_and_what_is_there() -> None:
    connector = make_connector(ACCOUNT, make_rivals())
    identity = connector.identify()
    assert identity.organization_id == str(connector.organization.pk)
    assert identity.languages == (1033,)
    assert connector.version_check is VersionCheck.ATOMIC
    summaries = [(item.name, item.is_intersect) for item in connector.entities()]
    assert summaries == [("account", False), ("accountrivals", True)]


def test_the_registry_makes_it_for_a_hosted_endpoint() -> None:
    organization = make_organization(ACCOUNT)
    endpoint = Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization)
    with registry.connector(endpoint, origin=ORIGIN) as connector:
        assert isinstance(connector, HostedConnector)
        assert connector.origin == ORIGIN


def test_hidden_entities_and_attributes_are_not_described() -> None:
    connector = make_connector(ACCOUNT, make_rivals())
    fewer = replace(ACCOUNT, attributes=ACCOUNT.attributes[:4])
    catalog.define(connector.organization, [fewer])
    catalog.hide(connector.organization, ["accountrivals"])
    assert next(connector.describe(["account"])).attributes == fewer.attributes
    assert [item.name for item in connector.entities()] == ["account"]
    with pytest.raises(UnknownEntity, match="no entity 'accountrivals'"):
        list(connector.describe(["accountrivals"]))


def test_a_full_reading_gives_every_record_once_and_a_checkpoint_at_its_end() -> None:
    connector, rows = make_filled(7)
    pages = list(connector.read(ask(page_size=3)))
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert sorted(read_rows(pages)) == sorted(rows)
    assert [page.checkpoint for page in pages] == [None, None, "7"]
    assert all(page.columns == COLUMNS for page in pages)


def test_an_empty_entity_gives_one_empty_page_with_a_checkpoint() -> None:
    pages = list(make_connector().read(ask()))
    assert [(page.rows, page.checkpoint) for page in pages] == [([], "0")]


def test_a_reading_goes_on_where_it_stopped_with_the_checkpoint_it_began_with() -> None:
    connector, rows = make_filled(7)
    first = next(iter(connector.read(ask(page_size=3))))
    connector.store.create("account", {"name": "later"})
    again = HostedConnector(connector.organization)
    rest = list(again.read(ask(page_size=3, resume=first.resume)))
    assert {row[0] for row in rows} <= {row[0] for row in [*first.rows, *read_rows(rest)]}
    assert rest[-1].checkpoint == "7"


def test_changes_since_a_checkpoint_are_those_and_no_others() -> None:
    connector, rows = make_filled(5)
    store = connector.store
    store.update("account", str(rows[0][0]), {"name": "new name"})
    store.delete("account", str(rows[1][0]))
    made = store.create("account", {"name": "made"})
    pages = list(connector.read(ask(since="5", page_size=1)))
    assert [row[:2] for row in read_rows(pages)] == [(rows[0][0], "new name"), (made.id, "made")]
    assert pages[-1].deleted == [rows[1][0]]
    assert pages[-1].checkpoint == "8"
    assert [len(page.deleted) for page in pages[:-1]] == [0, 0]
    quiet = list(connector.read(ask(since="8")))
    assert [(page.rows, page.deleted, page.checkpoint) for page in quiet] == [([], [], "8")]


def test_a_reading_of_changes_can_be_resumed() -> None:
    connector, rows = make_filled(4)
    connector.store.delete("account", str(rows[3][0]))
    first = next(iter(connector.read(ask(since="0", page_size=2))))
    connector.store.create("account", {"name": "later"})
    rest = list(connector.read(ask(since="0", page_size=2, resume=first.resume)))
    assert [row[0] for row in [*first.rows, *read_rows(rest)]] == [row[0] for row in rows[:3]]
    assert rest[-1].deleted == [rows[3][0]]
    assert rest[-1].checkpoint == "5"


def test_many_deletions_come_page_by_page() -> None:
    connector, rows = make_filled(7)
    ids: list[Row] = [(row[0],) for row in rows]
    connector.write(ACCOUNT, make_batch(Action.DELETE, ids, list(range(1, 8))))
    pages = list(connector.read(ask(since="7", page_size=3)))
    assert [len(page.deleted) for page in pages] == [3, 3, 1]
    assert {item for page in pages for item in page.deleted} == {row[0] for row in rows}
    assert [page.checkpoint for page in pages] == [None, None, "14"]


def test_a_record_that_came_back_is_not_reported_as_deleted() -> None:
    connector, rows = make_filled(1)
    connector.store.delete("account", str(rows[0][0]))
    connector.store.create("account", {"name": "back"}, id=str(rows[0][0]))
    page = list(connector.read(ask(since="1")))[-1]
    assert page.deleted == []
    assert [row[1] for row in page.rows] == ["back"]


def test_a_filter_holds_in_readings_of_all_and_of_changes() -> None:
    connector, rows = make_filled(5)
    inside = {row[0] for row in rows if int(row[2] or 0) >= 3}
    assert {row[0] for row in read_rows(list(connector.read(ask(query=at_least(3)))))} == inside
    changed = connector.read(ask(query=at_least(3), since="0"))
    assert {row[0] for row in read_rows(list(changed))} == inside
    assert {item for ids in connector.ids(ACCOUNT, at_least(3)) for item in ids} == inside
    everything = [str(row[0]) for row in rows]
    assert connector.matching(ACCOUNT, at_least(3), everything) == inside
    assert connector.count(ACCOUNT, at_least(3)) == 2
    assert connector.count(ACCOUNT) == 5


def test_it_knows_emptiness_and_the_highest_version() -> None:
    connector, _ = make_filled(3)
    assert connector.highest_version(ACCOUNT) == 3
    assert not connector.is_empty(ACCOUNT)
    assert make_connector().is_empty(ACCOUNT)


def test_it_fetches_those_that_exist() -> None:
    connector, rows = make_filled(2)
    page = connector.fetch(ACCOUNT, ATTRIBUTES, [str(rows[0][0]), make_id()])
    assert (page.rows, page.versions) == ([rows[0]], [1])


def test_writes_carry_the_origin_and_can_be_left_out_of_the_changes() -> None:
    connector, rows = make_filled(2)
    connector.store.update("account", str(rows[0][0]), {"name": "by a user"})
    connector.write(ACCOUNT, make_batch(Action.UPDATE, [(rows[1][0], "by the server", 1)], [2]))
    origins = [change.origin for change in connector.store.changes(0)]
    assert origins == [ORIGIN, ORIGIN, "", ORIGIN]
    foreign = connector.store.changes(0, exclude_origin=ORIGIN, entity="account")
    assert [(change.id, change.version) for change in foreign] == [(rows[0][0], 3)]


def test_a_staged_batch_is_written_in_the_callers_transaction() -> None:
    connector = make_connector()
    key = make_id()
    with pytest.raises(KeyboardInterrupt):
        stage_write_and_die(connector, key)
    assert connector.is_empty(ACCOUNT)
    assert connector.store.row_version() == 0


def stage_write_and_die(connector: HostedConnector, key: str) -> None:
    with transaction.atomic():
        batch = connector.stage(ACCOUNT, make_batch(Action.CREATE, [(key, "x", 1)]))
        result = connector.write(ACCOUNT, batch)
        assert (result.ids, list(result.versions)) == ([key], [1])
        raise KeyboardInterrupt


def test_failures_are_told_by_position_in_the_contracts_words() -> None:
    connector, rows = make_filled(1)
    batch = make_batch(Action.CREATE, [(rows[0][0], "x", 1), (make_id(), "x", 2**40)])
    failed = connector.write(ACCOUNT, batch).failed
    assert (failed[0].kind, failed[0].version) == (FailureKind.CONFLICT, 1)
    assert failed[1].kind is FailureKind.REJECTED
    assert "'employees' is too large" in failed[1].message


def test_a_checkpoint_from_before_deletions_were_tracked_has_expired() -> None:
    connector, _ = make_filled(3)
    EntityDefinition.objects.filter(name="account").update(tracks_since=2)
    assert list(connector.read(ask(since="2")))
    with pytest.raises(CheckpointExpired, match="since version 1 are not known"):
        list(connector.read(ask(since="1")))


def test_a_checkpoint_beyond_the_last_version_has_expired() -> None:
    connector, _ = make_filled(1)
    with pytest.raises(CheckpointExpired, match="since version 2 are not known"):
        list(connector.read(ask(since="2")))


@pytest.mark.parametrize("resume", ["all", "since:1:2", "all:x:y", "all:1:"])
def test_a_token_of_another_reading_is_refused(resume: str) -> None:
    with pytest.raises(CheckpointExpired, match="does not continue this reading"):
        list(make_connector().read(ask(resume=resume)))


def test_a_checkpoint_of_another_back_end_has_expired() -> None:
    with pytest.raises(CheckpointExpired, match="'2024-05-01' is no row version"):
        list(make_connector().read(ask(since="2024-05-01")))


def test_an_attribute_that_is_gone_is_a_change_of_metadata() -> None:
    connector, rows = make_filled(1)
    fewer = replace(ACCOUNT, attributes=ACCOUNT.attributes[:2])
    catalog.define(connector.organization, [fewer])
    with pytest.raises(MetadataChanged, match="no attribute 'employees' any more"):
        list(connector.read(ask()))
    with pytest.raises(MetadataChanged, match="no attribute 'employees' any more"):
        connector.fetch(ACCOUNT, ATTRIBUTES, [str(rows[0][0])])


def test_metadata_that_change_between_staging_and_writing_end_the_entity() -> None:
    connector = make_connector()
    batch = connector.stage(ACCOUNT, make_batch(Action.CREATE, [(make_id(), "x", 1)]))
    catalog.define(connector.organization, [make_account(make_attribute("fax"))])
    with pytest.raises(MetadataChanged, match="changed while records were on their way"):
        connector.write(ACCOUNT, batch)


def test_what_is_not_there_is_refused_in_words() -> None:
    connector = make_connector()
    lead = replace(ACCOUNT, name="lead")
    with pytest.raises(UnknownEntity, match="no entity 'lead'"):
        connector.count(lead)
    with pytest.raises(UnknownEntity, match="no entity 'lead'"):
        list(connector.read(replace(ask(), entity=lead)))
    catalog.define(connector.organization, [replace(lead, relationships=())])
    with pytest.raises(Refused, match="'lead' is not enabled"):
        connector.count(lead)
    with pytest.raises(Refused, match="There is no organization 'gone'"):
        HostedConnector(Organization(name="gone"))
