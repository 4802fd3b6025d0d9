"""Ids that follow from the seed: the same seed, entity and position always give the same GUID."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it modulo 2**64 gives every position another number."""

Identify = Callable[[int], str]


def identities(seed: int, entity: str) -> Identify:
    """Return the function that gives the id of the record at a position, in canonical form.

    The first 64 bits that vary come from the position, the rest from seed and entity; ids look
    random, do not ascend, and cost no memory.
    """
    digest = hashlib.blake2b(f"{seed}/{entity}".encode(), digest_size=16).digest()
    start, tail = int.from_bytes(digest[:8]), digest[8:15].hex()
    end = f"{tail[:2]}-{tail[2:14]}"

    def identify(position: int) -> str:
        bits = f"{(position * _GOLDEN + start) & _MASK:016x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[12:15]}-8{bits[15]}{end}"

    return identify
