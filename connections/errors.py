"""Errors of connectors, by recovery (design decision 10).

ConnectorError
├── Retryable           try again later, after `after` seconds if the other side said so
├── Rejected            this record cannot be written; go on with the others
├── Refused             credentials, permission or configuration: stop and say so
│   ├── LoginFailed     user name, password or secret were not accepted
│   ├── Unreachable     no such host, connection refused, address not allowed
│   ├── UnknownEntity   the organization has no such entity
│   └── PlanChanged     what a plan that was looked at would do is not what would be done now
├── CheckpointExpired   changes since the checkpoint are no longer known: read everything again
├── MetadataChanged     the entity is no longer what the reader was told it is
└── Conflict            the record is not at the version the write was based on
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of all errors of connectors; the text is meant for an administrator."""

    def __init__(self, message: str, *, code: str = "") -> None:
        """Keep the sentence, and the other side's error code if it gave one."""
        self.code = code
        super().__init__(message)


class Retryable(ConnectorError):
    """A fault that passes: too many requests, a time-out, a broken connection."""

    def __init__(self, message: str, *, code: str = "", after: float | None = None) -> None:
        """`after`: seconds the other side asked us to wait, None if it did not say."""
        self.after = after
        super().__init__(message, code=code)


class Rejected(ConnectorError):
    """One record was not accepted; the others are not affected."""

    def __init__(self, message: str, *, code: str = "", record_id: str = "") -> None:
        """Name the record."""
        self.record_id = record_id
        super().__init__(message, code=code)


class Refused(ConnectorError):
    """Nothing can go on until a person changes something."""


class LoginFailed(Refused):
    """The other side did not accept who we are."""


class Unreachable(Refused):
    """The other side cannot be reached, or must not be."""


class UnknownEntity(Refused):
    """The organization has no entity of that name."""

    def __init__(self, entity: str) -> None:
        """Name the entity."""
        self.entity = entity
        super().__init__(f"The organization has no entity '{entity}'.")


class PlanChanged(Refused):
    """What would be done now is not what the plan that was looked at says."""


class CheckpointExpired(ConnectorError):
    """The other side no longer knows what changed since the checkpoint."""


class MetadataChanged(ConnectorError):
    """An attribute or entity that was there at Update Server is there no longer, or changed."""


class Conflict(ConnectorError):
    """The record was changed since the version the write was based on."""

    def __init__(self, record_id: str, *, expected: int | None, actual: int | None) -> None:
        """Keep both versions."""
        self.record_id, self.expected, self.actual = record_id, expected, actual
        super().__init__(f"Record {record_id} is at version {actual}, not {expected}.")
