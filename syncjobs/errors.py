"""Errors of runs.

SyncError
├── Cancelled       somebody asked the run to stop; it stopped between two pages
├── LostLease       another worker has taken the run over; this one must not write any more
├── ServerChanged   the server is not the organization the checkpoints belong to (5.1.9)
├── LaneBusy        another process delivers this connection's changes, longer than we may wait
├── Unmatched       records that exist on both sides by themselves were not matched
├── OverBudget      a verification has used up the requests it was given
└── AlreadyLinked   links that were promised to be new are there; the page must be planned again
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of all errors of this package; the text is meant for people."""


class Cancelled(SyncError):
    """Somebody asked the run to stop."""


class LostLease(SyncError):
    """Another worker holds the run now."""


class ServerChanged(SyncError):
    """The server organization is another one, or an older copy of itself."""


class LaneBusy(SyncError):
    """Another process has the connection's delivery lane."""


class Unmatched(SyncError):
    """Records that exist on both sides by themselves were not matched (design 5.1.1).

    Neither they nor what refers to them can be carried: the client would get them a second time,
    and the ids of the server where its own belong.
    """


class OverBudget(SyncError):
    """A verification has used up the requests it may send."""


class AlreadyLinked(SyncError):
    """Links that were promised to be new exist already."""
