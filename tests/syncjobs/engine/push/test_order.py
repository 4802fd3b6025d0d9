"""Who waits for whom, what goes next, and where a cycle is cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, permutations

import pytest

from connections.connectors.memory import MemoryConnector
from organizations.records import Value
from syncjobs.engine.push.ends import Ends, Names
from syncjobs.engine.push.order import Node, Order, named, wait_for_creates, wait_for_deletes
from syncjobs.engine.transactions import Action, Changed, Transaction
from tests.syncjobs.engine.push.deliver import make_two_ways

CREATE, UPDATE, DELETE, ASSOCIATE, DISASSOCIATE = Action
RANKS = {"systemuser": 0, "account": 1, "tag": 2, "accounttag": 3}


def make_ends() -> dict[str, Ends]:
    """Both ends of every entity of the world in memory."""
    world, names = make_two_ways(), Names.of({})
    server, client = MemoryConnector(world.server), MemoryConnector(world.client)
    return {name: Ends(server, client, world.task(name), names) for name in RANKS}


ENDS = make_ends()


class Making:
    """Makes nodes, oldest first; their ids are 1, 2, 3, …"""

    def __init__(self) -> None:
        self._next = count(1)

    def node(self, action: Action, record: str, entity: str = "account", **values: Value) -> Node:
        number = next(self._next)
        transaction = Transaction(
            id=number,
            entity=ENDS[entity].task.key,
            client_id=record,
            action=action,
            version=number,
            first_version=number,
            changes={name: Changed(None, value) for name, value in values.items()},
        )
        return Node(transaction, ENDS[entity], RANKS[entity])

    def pair(self, action: Action, record: str, account: str, tag: str) -> Node:
        return self.node(action, record, "accounttag", accountid=account, tagid=tag)


@pytest.fixture
def making() -> Making:
    """Numbers from 1."""
    return Making()


def wait(after: Node, before: Node, *columns: str) -> None:
    after.after[before.transaction.id] = set(columns)


def told(nodes: Iterable[Node]) -> list[str]:
    return [node.transaction.client_id for node in nodes]


def walk(order: Order, most: int = 100) -> list[list[str]]:
    """Deliver all of it; return the portions."""
    portions = []
    while taken := order.take(most):
        portions.append(told(taken))
        for node in taken:
            order.done(node.transaction.id)
    return portions


def test_those_that_wait_for_nobody_go_by_kind_and_entity(making: Making) -> None:
    nodes = [
        making.node(DELETE, "user away", "systemuser"),
        making.node(DELETE, "account away"),
        making.pair(ASSOCIATE, "pair", "x", "y"),
        making.pair(DISASSOCIATE, "pair away", "x", "y"),
        making.node(UPDATE, "tag", "tag"),
        making.node(CREATE, "new tag", "tag"),
        making.node(UPDATE, "account"),
        making.node(CREATE, "new account"),
        making.node(UPDATE, "user", "systemuser"),
    ]
    wanted = [
        ["user"],
        ["new account"],
        ["account"],
        ["new tag"],
        ["tag"],
        ["pair away"],
        ["pair"],
        ["account away"],
        ["user away"],
    ]
    assert walk(Order(nodes)) == wanted
    assert walk(Order(reversed(nodes))) == wanted


def test_ties_go_as_they_were_given(making: Making) -> None:
    nodes = [making.node(CREATE, name) for name in "cab"]
    assert walk(Order(nodes)) == [["c", "a", "b"]]


def test_it_hands_out_portions_of_one_kind(making: Making) -> None:
    nodes = [making.node(CREATE, name) for name in "abcde"]
    nodes.append(making.node(CREATE, "tag", "tag"))
    assert walk(Order(nodes), 2) == [["a", "b"], ["c", "d"], ["e"], ["tag"]]


def test_nothing_has_no_order() -> None:
    assert Order(()).take(5) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parents_go_before_children(order: tuple[int, ...]) -> None:
    making = Making()
    nodes = [
        making.node(CREATE, "parent"),
        making.node(CREATE, "child", parentaccountid="parent"),
        making.node(UPDATE, "grandchild", parentaccountid="child"),
    ]
    given = [nodes[at] for at in order]
    assert wait_for_creates(given) == {}
    assert nodes[1].after == {1: {"parentaccountid"}}
    assert nodes[2].after == {2: {"parentaccountid"}}
    assert walk(Order(given)) == [["parent"], ["child"], ["grandchild"]]


def test_a_parent_of_a_later_entity_goes_first_all_the_same(making: Making) -> None:
    parties = '[[1,"tag","named"],[2,"tag","other"]]'
    child = making.node(CREATE, "child", parties=parties)
    nodes = [child, making.node(CREATE, "named", "tag"), making.node(UPDATE, "other", "tag")]
    assert wait_for_creates(nodes) == {"tag": {"other"}}
    assert child.after == {2: {"parties"}}
    assert walk(Order(nodes)) == [["named"], ["child"], ["other"]]


def test_nobody_waits_for_updates_and_deletes(making: Making) -> None:
    nodes = [
        making.node(UPDATE, "changed"),
        making.node(DELETE, "gone"),
        making.node(CREATE, "first", parentaccountid="changed"),
        making.node(CREATE, "second", parentaccountid="gone"),
    ]
    assert wait_for_creates(nodes) == {"account": {"changed", "gone"}}
    assert [node.after for node in nodes] == [{}] * 4


def test_it_tells_of_what_kind_the_records_are_that_nobody_makes(making: Making) -> None:
    nodes = [
        making.node(CREATE, "known", ownerid="ann", ownerid__type="systemuser"),
        making.node(CREATE, "unknown", ownerid="bob"),
    ]
    assert wait_for_creates(nodes) == {"systemuser": {"ann", "bob"}, "team": {"bob"}}


def test_only_what_is_written_names_records(making: Making) -> None:
    node = making.node(UPDATE, "a", name="x", city="Brno", parentaccountid=None)
    assert list(named(node)) == []
    assert list(named(making.node(DELETE, "a", parentaccountid="b"))) == []
    (found,) = named(making.node(UPDATE, "a", parentaccountid="b"))
    assert found == ("parentaccountid", ("account", "b"))


def test_pairs_go_after_both_ends(making: Making) -> None:
    pair = making.pair(ASSOCIATE, "pair", "account", "tag")
    half = making.pair(ASSOCIATE, "half", "account", "known")
    nodes = [pair, half, making.node(CREATE, "tag", "tag"), making.node(CREATE, "account")]
    assert wait_for_creates(nodes) == {"tag": {"known"}}
    assert pair.after == {4: {"accountid"}, 3: {"tagid"}}
    assert half.after == {4: {"accountid"}}
    assert walk(Order(nodes)) == [["account"], ["tag"], ["half", "pair"]]


def test_deletes_go_last_and_children_first(making: Making) -> None:
    names = ("grandparent", "parent", "child", "elsewhere")
    records = {("account", name): making.node(DELETE, name) for name in names}
    nodes = [*records.values(), making.node(UPDATE, "changed")]
    wait_for_deletes(
        records,
        [
            (("account", "child"), ("account", "parent")),
            (("account", "parent"), ("account", "grandparent")),
            (("account", "child"), ("account", "kept")),
            (("account", "kept"), ("account", "parent")),
            (("account", "elsewhere"), ("account", "elsewhere")),
        ],
    )
    assert [node.after for node in records.values()] == [{2: set()}, {3: set()}, {}, {}]
    assert walk(Order(nodes)) == [["changed"], ["child", "elsewhere"], ["parent"], ["grandparent"]]


def test_a_loop_of_deletes_is_cut(making: Making) -> None:
    records = {("account", name): making.node(DELETE, name) for name in "ab"}
    first, second = records
    wait_for_deletes(records, [(first, second), (second, first)])
    assert walk(Order(records.values())) == [["a"], ["b"]]
    assert [node.late for node in records.values()] == [set(), set()]


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_loop_is_cut_once_and_its_lookup_follows(making: Making, length: int) -> None:
    names = "abcde"[:length]
    nodes = [
        making.node(CREATE, name, name="x", parentaccountid=names[(at + 1) % length])
        for at, name in enumerate(names)
    ]
    wait_for_creates(nodes)
    assert walk(Order(nodes)) == [[name] for name in ["a", *reversed(names[1:])]]
    assert [node.late for node in nodes] == [{"parentaccountid"}] + [set()] * (length - 1)


def test_all_columns_that_close_a_loop_follow(making: Making) -> None:
    first = making.node(
        CREATE, "a", parentaccountid="b", parties='[[1,"account","b"]]', city="Brno"
    )
    nodes = [first, making.node(CREATE, "b", parentaccountid="a")]
    wait_for_creates(nodes)
    assert walk(Order(nodes)) == [["a"], ["b"]]
    assert first.late == {"parentaccountid", "parties"}


def test_two_loops_are_cut_each(making: Making) -> None:
    nodes = [
        making.node(CREATE, name, parentaccountid=other) for name, other in ("ab", "ba", "cd", "dc")
    ]
    wait_for_creates(nodes)
    assert walk(Order(nodes)) == [["a"], ["b"], ["c"], ["d"]]
    assert [bool(node.late) for node in nodes] == [True, False, True, False]


def test_a_loop_that_another_waits_for_is_found(making: Making) -> None:
    outside = making.node(UPDATE, "outside", parentaccountid="a")
    first = making.node(CREATE, "a", parentaccountid="b")
    second = making.node(CREATE, "b", parentaccountid="a")
    nodes = [outside, first, second]
    wait_for_creates(nodes)
    assert walk(Order(nodes)) == [["a"], ["b"], ["outside"]]
    assert outside.late == set()


def test_a_loop_waits_until_nothing_else_is_left(making: Making) -> None:
    first = making.node(CREATE, "a", parentaccountid="b")
    nodes = [
        first,
        making.node(CREATE, "b", parentaccountid="a"),
        making.node(DELETE, "gone"),
        making.node(CREATE, "new"),
    ]
    wait_for_creates(nodes)
    order = Order(nodes)
    assert told(order.take(5)) == ["new"]
    assert told(order.take(5)) == ["gone"]
    assert first.late == set()
    assert told(order.take(5)) == ["a"]
    assert first.late == {"parentaccountid"}


def test_later_changes_of_a_record_wait_in_a_loop_too(making: Making) -> None:
    first = making.node(CREATE, "a")
    later = making.node(UPDATE, "a", parentaccountid="b")
    other = making.node(CREATE, "b", parentaccountid="a")
    nodes = [later, first, other]
    wait(later, first)
    wait_for_creates(nodes)
    assert walk(Order(nodes)) == [["a"], ["b"], ["a"]]
    assert [node.late for node in nodes] == [set()] * 3


def test_a_loop_is_cut_at_a_lookup_and_never_at_the_record_itself(making: Making) -> None:
    later = making.node(UPDATE, "a")
    other = making.node(CREATE, "b", parentaccountid="a")
    wait(later, other)
    wait(other, later, "parentaccountid")
    assert walk(Order([later, other])) == [["b"], ["a"]]
    assert (later.late, other.late) == (set(), {"parentaccountid"})


def test_changes_of_one_record_never_wait_for_each_other(making: Making) -> None:
    first, second = making.node(UPDATE, "a"), making.node(UPDATE, "a")
    wait(first, second)
    wait(second, first)
    with pytest.raises(AssertionError, match="Transactions of one record wait for each other."):
        Order([first, second]).take(1)


def test_a_new_record_that_names_itself_is_told_so_later(making: Making) -> None:
    node = making.node(CREATE, "a", name="x", parentaccountid="a")
    assert wait_for_creates([node]) == {}
    assert (node.late, node.after) == ({"parentaccountid"}, {})
    assert walk(Order([node])) == [["a"]]


def test_a_record_that_is_there_can_name_itself(making: Making) -> None:
    node = making.node(UPDATE, "a", parentaccountid="a")
    assert wait_for_creates([node]) == {}
    assert (node.late, node.after) == (set(), {})


def test_a_later_change_that_names_its_own_new_record_needs_no_second_pass(
    making: Making,
) -> None:
    nodes = [making.node(CREATE, "a"), making.node(UPDATE, "a", parentaccountid="a")]
    assert wait_for_creates(nodes) == {}
    assert [node.late for node in nodes] == [set(), set()]


def test_it_goes_on_when_all_it_waits_for_is_done(making: Making) -> None:
    first, second, last = (making.node(CREATE, name) for name in "abc")
    wait(last, first, "parentaccountid")
    wait(last, second, "parties")
    order = Order([first, second, last])
    assert told(order.take(5)) == ["a", "b"]
    order.done(first.transaction.id)
    assert last.after == {second.transaction.id: {"parties"}}
    order.done(second.transaction.id)
    order.done(second.transaction.id)
    assert told(order.take(5)) == ["c"]
    assert order.take(5) == []


def test_it_stops_all_that_waits_behind_one(making: Making) -> None:
    first, second, third, other = (making.node(CREATE, name) for name in "abcd")
    wait(second, first, "parentaccountid")
    wait(third, second, "parentaccountid")
    order = Order([first, second, third, other])
    assert told(order.take(1)) == ["a"]
    assert told(order.stop(first.transaction.id)) == ["b", "c"]
    assert list(order.stop(first.transaction.id)) == []
    assert walk(order) == [["d"]]


def test_it_stops_one_that_waits_on_two_ways_once(making: Making) -> None:
    first, second, third, last = (making.node(CREATE, name) for name in "abcd")
    wait(second, first, "parentaccountid")
    wait(third, first, "parentaccountid")
    wait(last, second, "parentaccountid")
    wait(last, third, "parties")
    order = Order([first, second, third, last])
    order.take(1)
    assert sorted(told(order.stop(first.transaction.id))) == ["b", "c", "d"]
    assert walk(order) == []


def test_it_stops_nothing_that_waits_no_longer(making: Making) -> None:
    first, second = making.node(CREATE, "a"), making.node(CREATE, "b")
    wait(second, first, "parentaccountid")
    wait(first, second, "parentaccountid")
    order = Order([first, second])
    assert told(order.take(1)) == ["a"]  # the loop is cut here
    assert list(order.stop(second.transaction.id)) == []
    order.done(first.transaction.id)
    assert told(order.take(1)) == ["b"]


def test_it_drops_one_whether_it_waits_or_not(making: Making) -> None:
    first, second, third = (making.node(CREATE, name) for name in "abc")
    wait(third, second, "parentaccountid")
    order = Order([first, second, third])
    order.drop(third.transaction.id)
    order.drop(first.transaction.id)
    order.drop(first.transaction.id)
    assert walk(order) == [["b"]]
