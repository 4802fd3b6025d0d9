"""What connecting writes, what it changes of what is there, and two requests at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection as database

from connections import secrets
from connections.connect import proof, service
from connections.connect.errors import ClientTaken
from connections.connect.proof import Proof
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.base import EntitySummary, Identity
from connections.connectors.dynamics import difficult
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization
from organizations.models import Member, Organization
from organizations.schema import Label
from tests.connections.connect.live import Live, live

__all__ = ["live"]
HOST = "https://server.example.com"
LISTED = tuple(
    EntitySummary(
        name=name,
        label=Label.of({1033: name.title()}),
        is_custom=custom,
        problem=difficult.problem(name),
    )
    for name, custom in (
        ("account", False),
        ("activityparty", False),
        ("lead", False),
        ("new_machine", True),
        ("msdyn_thing", True),
        ("workflow", False),
    )
)


def make_proof(**changes: object) -> Proof:
    request = ConnectRequest(backend="dynamics", url=HOST, user_name="a", password="secret a")
    made = Proof(
        request=request,
        identity=Identity(organization_id="id-1", organization_name="Server", user_id="u"),
        listed=LISTED,
        entities=None,
        filters=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def make_new(name: str = "field", password: str = "a long enough phrase") -> service.NewClient:
    return service.NewClient(
        name=name,
        email="admin@field.example",
        password=password,
        person={"company": "Field", "phone": "1"},
    )


def enabled(connection: Connection) -> set[str]:
    found = connection.entities.filter(enabled=True)
    return set(found.values_list("name", flat=True))


@pytest.mark.django_db
def test_it_makes_the_client_with_its_administrator_and_both_endpoints() -> None:
    made = service.connect(make_proof(), make_new())
    organization = Organization.objects.get(name="field")
    member = Member.objects.get(organization=organization)
    assert (made.name, made.state) == ("field", Connection.State.SETTING_UP)
    assert (made.client.organization, organization.display_name) == (organization, "Field")
    assert member.is_administrator
    assert member.check_password("a long enough phrase")
    assert (member.email, member.phone) == ("admin@field.example", "1")
    server = made.server
    assert (server.url, server.user_name, server.organization_id_seen) == (HOST, "a", "id-1")
    assert secrets.open_(server.sealed_secret, server.pk) == "secret a"


@pytest.mark.django_db
def test_it_takes_a_client_that_is_there() -> None:
    organization = create_organization("field")
    made = service.connect(make_proof(), organization)
    assert made.client.organization == organization
    assert not Member.objects.exists()


@pytest.mark.django_db
def test_without_names_it_enables_what_is_usual_and_the_customer_s_own() -> None:
    made = service.connect(make_proof(), make_new())
    assert enabled(made) == {"account", "lead", "new_machine"}
    assert made.entities.count() == len(LISTED)
    assert "part of their activity" in made.entities.get(name="activityparty").problem


@pytest.mark.django_db
def test_named_entities_and_filters_replace_those_that_were_there() -> None:
    first = (EntityChoice(name="account", sync_deletion=True), EntityChoice(name="lead"))
    service.connect(make_proof(entities=first, filters={"lead": "<fetch/>"}), make_new())
    organization = Organization.objects.get(name="field")
    made = service.connect(make_proof(), organization)
    assert enabled(made) == {"account", "lead"}
    assert made.entities.get(name="lead").filter_xml == "<fetch/>"
    made = service.connect(
        make_proof(entities=(EntityChoice(name="account"),), filters={}), organization
    )
    assert enabled(made) == {"account"}
    assert made.entities.get(name="account").sync_deletion
    assert made.entities.get(name="lead").filter_xml == ""


@pytest.mark.django_db
def test_a_second_connect_replaces_the_credentials() -> None:
    service.connect(make_proof(), make_new())
    other = replace(make_proof().request, user_name="b", password="secret b")
    made = service.connect(make_proof(request=other), Organization.objects.get(name="field"))
    server = Endpoint.objects.get(pk=made.server_id)
    assert server.user_name == "b"
    assert secrets.open_(server.sealed_secret, server.pk) == "secret b"
    assert (Connection.objects.count(), Endpoint.objects.count()) == (1, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("backend", "url"),
    [("dynamics", "https://other.example.com"), ("dynamics", f"{HOST}/x"), ("memory", HOST)],
)
def test_a_client_has_one_server(backend: str, url: str) -> None:
    service.connect(make_proof(), make_new())
    with pytest.raises(ClientTaken, match="is connected to Dynamics CRM at https://server"):
        service.check_free("field", backend, url)
    request = replace(make_proof().request, backend=backend, url=url)
    with pytest.raises(ClientTaken, match="disconnect it first"):
        service.connect(make_proof(request=request), Organization.objects.get(name="field"))


@pytest.mark.django_db
def test_another_organization_at_the_same_address_is_not_connected() -> None:
    service.connect(make_proof(), make_new())
    other = Identity(organization_id="id-2", organization_name="Copy", user_id="u")
    with pytest.raises(ClientTaken, match="connected to another organization that was at"):
        service.connect(make_proof(identity=other), Organization.objects.get(name="field"))
    assert Endpoint.objects.get(url=HOST).organization_id_seen == "id-1"


@pytest.mark.django_db
def test_somebody_who_came_to_make_a_client_cannot_change_it() -> None:
    service.connect(make_proof(), make_new())
    other = replace(make_proof().request, password="an intruder's")
    with pytest.raises(ClientTaken, match="was connected by another request just now"):
        service.connect(make_proof(request=other), make_new(password="another long phrase"))
    server = Endpoint.objects.get(url=HOST)
    assert secrets.open_(server.sealed_secret, server.pk) == "secret a"


@pytest.mark.django_db
def test_a_left_over_schema_of_that_name_is_said() -> None:
    with database.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "org_field"')
    with pytest.raises(ClientTaken, match="holds a schema 'org_field'"):
        service.connect(make_proof(), make_new())
    assert not Organization.objects.exists()


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Do all at the same time in threads of their own; return results and errors."""
    barrier = threading.Barrier(len(actions))
    results: list[object] = [None] * len(actions)

    def act(place: int) -> None:
        barrier.wait()
        try:
            results[place] = actions[place]()
        except ClientTaken as error:
            results[place] = error
        finally:
            database.close()

    threads = [threading.Thread(target=act, args=(place,)) for place in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_new", [True, False])
def test_two_at_once_make_one_connection(is_new: bool) -> None:
    who: service.Client = make_new() if is_new else create_organization("field")
    done = at_once(*[lambda: service.connect(make_proof(), who)] * 3)
    assert sum(isinstance(result, Connection) for result in done) >= 1
    assert all(isinstance(result, Connection | ClientTaken) for result in done), done
    assert (Connection.objects.count(), Endpoint.objects.count()) == (1, 2)
    assert Organization.objects.count() == 1
    assert Member.objects.count() == int(is_new)
    assert SyncedEntity.objects.count() == len(LISTED)


@pytest.mark.django_db(transaction=True)
def test_changes_of_one_connection_at_once_come_one_after_the_other() -> None:
    service.connect(make_proof(), make_new())
    organization = Organization.objects.get(name="field")
    wanted = [make_proof(entities=(EntityChoice(name=name),)) for name in ("account", "lead")]
    done = at_once(*[lambda p=p: service.connect(p, organization) for p in wanted * 3])
    assert all(isinstance(result, Connection) for result in done), done
    assert enabled(Connection.objects.get()) in ({"account"}, {"lead"})


def test_other_credentials_carry_the_next_update(live: Live) -> None:
    service.carry_out(live.connect("account"))
    member = Member(organization=live.twin, email="anna@contoso.example", is_administrator=True)
    member.set_password("Anna's own phrase")
    member.save()
    changed = live.connect(user_name=member.email, password="Anna's own phrase")
    assert service.preview(changed).is_empty
    service.carry_out(changed)
    assert changed.server.user_name == member.email
    assert proof.prove(live.request()).identity.organization_id == (
        changed.server.organization_id_seen
    )


@pytest.mark.django_db
def test_it_sets_the_write_mode_where_the_request_names_it() -> None:
    chosen = (EntityChoice(name="account", write_offline=False), EntityChoice(name="lead"))
    asked = replace(make_proof().request, write_offline=True)
    made = service.connect(make_proof(request=asked, entities=chosen), make_new())
    modes = dict(made.entities.filter(enabled=True).values_list("name", "write_mode"))
    assert (made.write_mode, modes) == ("offline", {"account": "instant", "lead": ""})
    organization = Organization.objects.get(name="field")
    asked = replace(asked, write_offline=False)
    assert service.connect(make_proof(request=asked), organization).write_mode == "instant"
    assert service.connect(make_proof(), organization).write_mode == "instant"
