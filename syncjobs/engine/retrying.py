"""Patience with faults that pass."""

from __future__ import annotations

from connections.errors import CheckpointExpired, MetadataChanged, Retryable, UnknownEntity
from organizations.errors import OrganizationError
from syncjobs.engine.values import Options
from syncjobs.errors import Unmatched

ENTITY_ERRORS = (
    Retryable,
    MetadataChanged,
    CheckpointExpired,
    UnknownEntity,
    OrganizationError,
    Unmatched,
)
"""What ends one entity and lets the others go on (design decision 10)."""

_FIRST_WAIT = 1.0


class Patience:
    """Counts failures in a row and waits between them."""

    def __init__(self, options: Options) -> None:
        """Begin without a failure."""
        self._options = options
        self._failures = 0

    def wait(self, error: Retryable, *, moved: bool = False) -> None:
        """Wait as long as was asked, else twice as long each time; or give up.

        `moved`: something was carried since the last failure, so counting begins anew. Raises
        the error itself when there were too many, or it asks for more than can be waited.
        """
        self._failures = 1 if moved else self._failures + 1
        seconds = error.after
        if seconds is None:
            seconds = _FIRST_WAIT * 2 ** (self._failures - 1)
        if self._failures >= self._options.attempts or seconds > self._options.patience:
            raise error
        self._options.sleep(seconds)
