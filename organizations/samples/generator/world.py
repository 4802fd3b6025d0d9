"""What every recipe draws from: the seed, how many records there are, their ids, random pools.

A column of a million records is a short pool of values repeated without end. Pools of different
columns have different prime lengths, so rows hardly ever repeat, and making a row costs no more
than taking one value from each pool. Columns that belong together share a length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, cycle
from random import Random

from organizations.records import Row, Value
from organizations.samples.generator.identity import Identify, identities
from organizations.schema import Entity

Stream = Iterator[Value]
Streams = dict[str, Stream]
"""Endless values by column name."""

PRIMES = (199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293)
SHARED_LENGTH = 251
"""Length of the pools of a record's currency and amounts, which depend on each other."""
LONG_LENGTH = 997


class World:
    """A sample organization in the making: `seed`, entities by name, and `sizes` of each."""

    def __init__(self, seed: int, entities: Mapping[str, Entity], sizes: Mapping[str, int]) -> None:
        """Keep the numbers and prepare the ids."""
        self.seed, self.entities, self.sizes = seed, entities, sizes
        self._identify = {name: identities(seed, name) for name in entities}

    def random(self, *names: str) -> Random:
        """Return a generator of random numbers that depends on the seed and the names only."""
        return Random("/".join((str(self.seed), *names)))  # noqa: S311 - samples, no secrets

    def id(self, entity: str, position: int) -> str | None:
        """Return the id of the record at a position, counted round; None if there are none."""
        size = self.sizes[entity]
        return self._identify[entity](position % size) if size else None

    def ids(self, entity: str) -> Stream:
        """Return the ids of an entity's records in order."""
        return map(self._identify[entity], count())

    def identify(self, entity: str) -> Identify:
        """Return the function from position to id, for loops that call it millions of times."""
        return self._identify[entity]

    def some(self, entity: str, random: Random, length: int) -> list[Value]:
        """Return ids of records picked at random."""
        return [self.id(entity, random.randrange(2**31)) for _ in range(length)]


def drawn(random: Random, length: int, draw: Callable[[Random], Value], nulls: float) -> Stream:
    """Return an endless stream of a pool of drawn values with a share of nulls."""
    pool = [None if random.random() < nulls else draw(random) for _ in range(length)]
    return cycle(pool)


def split(names: Sequence[str], rows: Sequence[Row]) -> Streams:
    """Return one endless stream per name from a pool of rows, so that columns stay together."""
    return {
        name: cycle(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }


def constant(value: Value) -> Stream:
    """Return an endless stream of one value."""
    return cycle([value])
