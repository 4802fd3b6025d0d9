"""Records that exist on both sides by themselves, pairs, parties, and the order of entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import orjson
import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.memory import Fault, MemoryConnector
from organizations.query.nodes import Query
from organizations.records import Page
from organizations.schema import AttributeType, Entity
from syncjobs.engine.matching import match
from syncjobs.engine.order import in_order
from syncjobs.engine.values import Counts, LinkState
from tests.syncjobs.engine.test_pull import assert_idle
from tests.syncjobs.engine.world import World, make_attribute, make_entity, make_world


def make_user(world: World, side: str, **values: str) -> str:
    organization = world.server if side == "server" else world.client
    return organization.create("systemuser", values)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"domainname": "CONTOSO\\Ann"}, {"domainname": "contoso\\ann"}),
        ({"internalemailaddress": "ann@x.eu"}, {"internalemailaddress": "Ann@X.eu"}),
    ],
    ids=["domain name", "e-mail"],
)
def test_it_matches_users_by_themselves(theirs: dict[str, str], ours: dict[str, str]) -> None:
    world = make_world()
    server_user = make_user(world, "server", fullname="Ann", **theirs)
    client_user = make_user(world, "client", **ours)
    account = world.server.create(
        "account", {"ownerid": server_user, "ownerid__type": "systemuser"}
    )
    assert world.counts("systemuser") == Counts(read=1, updated=1)
    assert list(world.rows("client", "systemuser")) == [client_user]
    assert world.client.get("systemuser", client_user)["fullname"] == "Ann"
    assert world.client.get("account", account)["ownerid"] == client_user
    assert_idle(world)


def test_it_translates_owners_in_later_runs_too() -> None:
    world = make_world()
    server_user = make_user(world, "server", domainname="ann")
    client_user = make_user(world, "client", domainname="ann")
    world.sync()
    party = [1, "systemuser", server_user]
    account = world.server.create(
        "account",
        {"ownerid": server_user, "ownerid__type": "systemuser", "parties": [party]},
    )
    world.sync()
    carried = world.client.get("account", account)
    assert carried["ownerid"] == client_user
    assert orjson.loads(str(carried["parties"])) == [[1, "systemuser", client_user]]


def test_it_matches_again_when_the_checkpoint_has_expired() -> None:
    world = make_world()
    make_user(world, "server", domainname="ann")
    ann = make_user(world, "client", domainname="ann")
    world.sync()
    world.server.expire_checkpoints()
    make_user(world, "server", domainname="bob")
    bob = make_user(world, "client", domainname="bob")
    report = world.sync()["systemuser"]
    assert (report.failed, report.counts) == ("", Counts(read=2, unchanged=2))
    assert set(world.rows("client", "systemuser")) == {ann, bob}
    assert_idle(world)


def test_it_leaves_owners_of_another_entity_alone() -> None:
    world = make_world()
    server_user = make_user(world, "server", domainname="ann")
    make_user(world, "client", domainname="ann")
    account = world.server.create("account", {"ownerid": server_user, "ownerid__type": "team"})
    world.sync()
    assert world.client.get("account", account)["ownerid"] == server_user


def test_it_creates_users_without_a_counterpart_under_their_id() -> None:
    world = make_world()
    server_user = make_user(world, "server", domainname="ann")
    make_user(world, "client", domainname="bob")
    assert world.counts("systemuser") == Counts(read=1, created=1)
    assert server_user in world.rows("client", "systemuser")


def test_it_does_not_guess_between_two_users() -> None:
    world = make_world()
    server_user = make_user(world, "server", internalemailaddress="info@x.eu")
    for _ in range(2):
        make_user(world, "client", internalemailaddress="info@x.eu")
    assert world.counts("systemuser") == Counts(read=1, created=1)
    assert server_user in world.rows("client", "systemuser")


def test_a_user_that_is_there_under_its_id_matches_nobody_else() -> None:
    world = make_world()
    server_user = make_user(world, "server", domainname="ann")
    world.client.create("systemuser", {"domainname": "old name"}, id=server_user)
    make_user(world, "client", domainname="ann")
    assert world.counts("systemuser") == Counts(read=1, updated=1)
    assert world.client.get("systemuser", server_user)["domainname"] == "ann"


def test_a_client_user_is_matched_once() -> None:
    world = make_world()
    make_user(world, "server", domainname="ann")
    client_user = make_user(world, "client", domainname="ann")
    world.sync()
    second = make_user(world, "server", domainname="Ann")
    assert world.counts("systemuser") == Counts(read=1, created=1)
    assert set(world.rows("client", "systemuser")) == {client_user, second}


def make_owned(world: World) -> tuple[str, str]:
    """Make a user on both sides who owns an account of the server: the client's user, it."""
    theirs = make_user(world, "server", domainname="ann")
    ours = make_user(world, "client", domainname="ann")
    owner = {"ownerid": theirs, "ownerid__type": "systemuser"}
    return ours, world.server.create("account", owner)


def assert_owned(world: World, user: str, account: str) -> None:
    """The client has one user, and he owns the account."""
    assert set(world.rows("client", "systemuser")) == {user}
    assert world.client.get("account", account)["ownerid"] == user
    assert_idle(world)


def test_it_carries_only_what_refers_to_no_user_when_users_cannot_be_matched() -> None:
    world = make_world()
    user, account = make_owned(world)
    world.server.create("tag", {})
    for page in range(1, 6):
        world.server.faults.at_page(page, Fault.RETRY)
    reports = world.sync()
    assert reports["systemuser"].failed == "Too many requests."
    assert reports["account"].failed == (
        "'account' was not carried: it refers to records of 'systemuser', which could not be "
        "matched with the client's. Too many requests."
    )
    assert reports["tag"].counts == Counts(read=1, created=1)
    world.sync()
    assert_owned(world, user, account)


def test_a_user_who_came_after_matching_is_matched_by_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world()
    make_user(world, "client", domainname="bob")
    made: list[tuple[str, str]] = []

    def then_made(*args: object) -> object:
        matched = match(*args)  # type: ignore[arg-type]
        made.append(make_owned(world))
        return matched

    monkeypatch.setattr("syncjobs.engine.sync.match", then_made)
    reports = world.sync()
    monkeypatch.undo()
    assert reports["systemuser"].failed == (
        "Records of 'systemuser' came after they were matched with the client's. The next run "
        "matches them."
    )
    assert reports["account"].failed
    assert world.rows("client", "account") == {}
    world.sync()
    assert len(world.rows("client", "systemuser")) == 2
    assert world.client.get("account", made[0][1])["ownerid"] == made[0][0]


class Silent(MemoryConnector):
    """Names no user in the first full reading, and none in the list of ids that follows."""

    left: ClassVar[int]

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            yield replace(page, rows=[], versions=[]) if self._is_silent(request.entity) else page

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        return iter(()) if self._is_silent(entity) else super().ids(entity, query)

    def _is_silent(self, entity: Entity) -> bool:
        if entity.name != "systemuser" or not Silent.left:
            return False
        Silent.left -= 1
        return True


def test_answers_that_name_nobody_do_not_tell_whom_to_match() -> None:
    world = make_world(page_size=50)
    make_user(world, "server", domainname="bob")
    world.sync()
    user, account = make_owned(world)
    world.server.expire_checkpoints()
    Silent.left, world.reading = 2, Silent
    reports = world.sync()
    assert (Silent.left, reports["systemuser"].failed) == (0, "")
    assert world.waits
    assert world.client.get("account", account)["ownerid"] == user


def test_a_user_who_enters_the_filter_unchanged_is_matched_before_he_is_carried() -> None:
    world = make_world(sync_deletion=True)
    user, account = make_owned(world)
    world.sync()
    links, left = world.state.saved.links[3], world.state.saved.left
    (theirs,) = links
    del links[theirs]
    assert world.counts("systemuser") == Counts()
    assert left == {3: {theirs}}
    assert world.counts("systemuser") == Counts(read=1, unchanged=1)
    assert_owned(world, user, account)


def test_it_never_deletes_a_user_that_was_there_by_itself() -> None:
    world = make_world(sync_deletion=True)
    server_user = make_user(world, "server", domainname="ann")
    client_user = make_user(world, "client", domainname="ann")
    world.sync()
    world.server.delete("systemuser", server_user)
    assert world.counts("systemuser") == Counts(kept=1)
    assert client_user in world.rows("client", "systemuser")
    assert world.state.saved.links[3][server_user].state == LinkState.SERVER_DELETED


def test_it_carries_pairs_and_their_end() -> None:
    world = make_world(sync_deletion=True)
    account, tag = world.server.create("account", {}), world.server.create("tag", {})
    pair = world.server.associate("accounttags", account, tag)
    world.sync()
    assert world.rows("client", "accounttag") == {pair: (pair, account, tag)}
    world.server.disassociate("accounttags", account, tag)
    assert world.counts("accounttag") == Counts(deleted=1)
    assert world.rows("client", "accounttag") == {}
    assert_idle(world)


def test_it_finds_a_pair_that_the_client_has_under_another_id() -> None:
    world = make_world(sync_deletion=True)
    account, tag = world.server.create("account", {}), world.server.create("tag", {})
    ours = world.client.associate("accounttags", account, tag)
    pair = world.server.associate("accounttags", account, tag)
    assert world.counts("accounttag", dry_run=True) == Counts(read=1, unchanged=1)
    assert world.counts("accounttag") == Counts(read=1, unchanged=1)
    assert list(world.rows("client", "accounttag")) == [ours]
    assert world.state.saved.links[2][pair].client_id == ours
    assert_idle(world)
    world.server.disassociate("accounttags", account, tag)
    assert world.counts("accounttag") == Counts(deleted=1)


def test_it_keeps_a_pair_that_ended_and_began_again() -> None:
    world = make_world(sync_deletion=True)
    account, tag = world.server.create("account", {}), world.server.create("tag", {})
    first = world.server.associate("accounttags", account, tag)
    world.sync()
    world.server.disassociate("accounttags", account, tag)
    second = world.server.associate("accounttags", account, tag)
    assert world.counts("accounttag") == Counts(read=1, unchanged=1)
    assert list(world.rows("client", "accounttag")) == [first]
    assert list(world.state.saved.links[2]) == [second]
    assert_idle(world)


def test_it_carries_what_is_referred_to_first() -> None:
    world = make_world(entities=("accounttag", "account", "tag", "systemuser"))
    world.sync()
    assert world.reporter.order == ["systemuser", "account", "tag", "accounttag"]


def test_it_tolerates_cycles_and_leaves_parties_to_their_activity() -> None:
    lookup = AttributeType.LOOKUP
    entities = [
        make_entity("a", make_attribute("bid", lookup, targets=("b",))),
        make_entity("b", make_attribute("cid", lookup, targets=("c", "a"))),
        make_entity("c", make_attribute("aid", lookup, targets=("a", "c", "elsewhere"))),
        make_entity("activityparty", make_attribute("aid", lookup, targets=("a",))),
    ]
    world = make_world(entities=[entity.name for entity in entities])
    known = {entity.name: entity for entity in entities}
    world.server.entities = world.client.entities = known
    assert [task.name for task in in_order(world.tasks())] == ["c", "b", "a"]
