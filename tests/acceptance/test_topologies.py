"""Dynamics → RC1 → RC2: two connections keep three organizations in step (screen 8).

The story is told with RC2 hosted here, and with RC2 elsewhere, where only its services are
reached, as those of RC1 are by the second connection. Everything happens on all three, then each
test looks at its own part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from organizations.models import ChangeLog
from syncjobs.models import Link
from tests.acceptance.topology import (
    Joint,
    Observer,
    Side,
    clean_up,
    connect,
    make_bare,
    make_twin,
)

pytestmark = pytest.mark.django_db
SIDES = ("dynamics", "rc1", "rc2")
Counts = dict[str, dict[str, int]]
"""Where something was done → organization → how often a connection wrote it there."""


def ends(first: Joint, second: Joint) -> dict[str, list[tuple[str, str]]]:
    """By which connection, and as which of its sides, each of the three is written."""
    written = (
        [(first.name, "server")],
        [(first.name, "client"), (second.name, "server")],
        [(second.name, "client")],
    )
    return dict(zip(SIDES, written, strict=True))


@dataclass
class Story:
    """What was done on each side, and what became of it everywhere."""

    sides: Mapping[str, Side]
    joints: tuple[Joint, Joint]
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    linked: dict[str, tuple[str, str]] = field(default_factory=dict)
    parted: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    pairs: dict[str, dict[str, int]] = field(default_factory=dict)
    echoes: list[dict[str, int]] = field(default_factory=list)
    is_quiet: bool = False

    def tell(self) -> None:
        """Do everything on all three, carry it, look; then carry once more."""
        self._prepare()
        seen = Observer(ends(*self.joints))
        for where, side in self.sides.items():
            self._change(where, side)
        self._sync()
        self.after = {where: side.everything() for where, side in self.sides.items()}
        self._count(seen)
        written = self._written()
        self.echoes = [joint.sync() for joint in self.joints]
        self.is_quiet = self._written() == written

    def _prepare(self) -> None:
        """Choose what is changed; it is equal everywhere before."""
        self.joints[1].sync()
        self.before = self.sides["dynamics"].everything()
        assert all(side.everything() == self.before for side in self.sides.values())
        leads, competitors = sorted(self.before["lead"]), sorted(self.before["competitor"])
        pairs = sorted(self.before["pairs"])
        for at, where in enumerate(SIDES):
            self.changed[where] = leads[at]
            self.parted[where] = pairs[at]
            free = (item for item in competitors if (leads[at], item) not in pairs)
            self.linked[where] = (leads[at], next(free))
            self.deleted[where] = sorted(self.before["account"])[at]

    def _change(self, where: str, side: Side) -> None:
        self.made[where] = side.make("account", f"Made on {where}")
        side.change("lead", self.changed[where], f"Changed on {where}")
        side.delete("account", self.deleted[where])
        side.link(*self.linked[where])
        side.unlink(*self.parted[where])

    def _sync(self) -> None:
        """Run both connections until nothing is new for either: up, and down again, twice.

        The second time brings when, by its own clock, the server was written to.
        """
        first, second = self.joints
        for joint in (second, first, second, first, second):
            joint.sync()

    def _count(self, seen: Observer) -> None:
        texts = self.before["lead"]
        self.counts = {
            "created": {w: seen.done("account", "create", self.made[w]) for w in SIDES},
            "changed": {w: seen.changed("lead", texts[self.changed[w]]) for w in SIDES},
            "deleted": {w: seen.done("account", "delete", self.deleted[w]) for w in SIDES},
        }
        self.pairs = {verb: seen.done("leadcompetitors", verb) for verb in ("create", "delete")}

    def _written(self) -> tuple[object, ...]:
        """Return what any write of a run would move."""
        links = list(Link.objects.order_by("pk").values("server_version", "client_version"))
        versions = [side.store.row_version() for side in self.sides.values()]
        return ChangeLog.objects.count(), versions, links


@pytest.fixture(scope="module", params=["here", "elsewhere"])
def story(request: pytest.FixtureRequest, served: str) -> Iterator[Story]:
    name = f"chain-{request.param}"
    twin = make_twin(served, f"{name}-0", records=6)
    first = connect(served, twin, f"{name}-1")
    first.sync()
    second = connect(served, Side(f"{name}-1"), f"{name}-2", at=_place(name, request.param))
    last = Side(f"{name}-3" if request.param == "elsewhere" else f"{name}-2")
    told = Story({"dynamics": twin, "rc1": Side(first.name), "rc2": last}, (first, second))
    told.tell()
    yield told
    clean_up(f"{name}-")


def _place(name: str, where: str) -> str:
    """Make RC2 where it has to be there before; return its name, '' for one made by connecting."""
    return make_bare(f"{name}-3").name if where == "elsewhere" else ""


def once(where: str) -> dict[str, int]:
    """What is expected of one change there: one write on each of the others, none at home."""
    return {name: 1 for name in SIDES if name != where}


@pytest.mark.parametrize("where", SIDES)
def test_what_is_created_reaches_the_others_once(story: Story, where: str) -> None:
    found = {after["account"].get(story.made[where]) for after in story.after.values()}
    assert found == {f"Made on {where}"}
    assert story.counts["created"][where] == once(where)


@pytest.mark.parametrize("where", SIDES)
def test_what_is_changed_reaches_the_others_once(story: Story, where: str) -> None:
    found = {after["lead"][story.changed[where]] for after in story.after.values()}
    assert found == {f"Changed on {where}"}
    assert story.counts["changed"][where] == once(where)


@pytest.mark.parametrize("where", SIDES)
def test_what_is_deleted_is_deleted_on_the_others_once(story: Story, where: str) -> None:
    assert all(story.deleted[where] not in after["account"] for after in story.after.values())
    assert story.counts["deleted"][where] == once(where)


@pytest.mark.parametrize("where", SIDES)
def test_pairs_are_made_and_parted_on_the_others(story: Story, where: str) -> None:
    assert story.parted[where] in story.before["pairs"]
    for after in story.after.values():
        assert story.linked[where] in after["pairs"]
        assert story.parted[where] not in after["pairs"]


def test_each_pair_was_made_and_parted_once(story: Story) -> None:
    """Two of the three were linked elsewhere, and two were parted elsewhere."""
    assert story.pairs == {verb: dict.fromkeys(SIDES, 2) for verb in ("create", "delete")}


def test_all_three_are_equal(story: Story) -> None:
    first, *others = story.after.values()
    assert all(other == first for other in others)


def test_nothing_echoes(story: Story) -> None:
    assert story.echoes == [{}, {}]
    assert story.is_quiet
