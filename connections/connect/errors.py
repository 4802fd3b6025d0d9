"""Errors of connecting that are not about the request's form (that is InvalidRequest).

ConnectError
├── ClientTaken        the client is connected to another server already
├── ClientRefused      the client organization does not exist, or the credentials are not its
├── ClientUnproven     a client that is not hosted here did not let us in, or cannot be reached
├── RegistrationClosed new organizations are not accepted, or not without the key
├── ServerRefused      the server did not let us in, or cannot be reached; names the element
└── TooSlow            the server did not answer in the time a request may take
"""

from __future__ import annotations


class ConnectError(Exception):
    """Base; the text is meant for the person who connects."""

    element = "SyncSetup"


class ClientTaken(ConnectError):
    """A client has one server."""


class ClientRefused(ConnectError):
    """One answer for unknown organizations and wrong credentials, so that names stay secret."""

    element = "ClientOrganization"

    def __init__(self) -> None:
        """Say nothing about which of the two it was."""
        super().__init__(
            "The client organization does not exist, or the user name or password is not that "
            "of one of its administrators."
        )


class ClientUnproven(ConnectError):
    """A client organization elsewhere said no, or could not be asked."""

    def __init__(self, message: str, element: str) -> None:
        """Keep which element of the request to correct."""
        self.element = element
        super().__init__(message)


class RegistrationClosed(ConnectError):
    """This installation does not take this new organization."""

    element = "RegistrationInfo"


class ServerRefused(ConnectError):
    """The server organization said no, or could not be asked."""

    def __init__(self, message: str, element: str) -> None:
        """Keep which element of the request to correct."""
        self.element = element
        super().__init__(message)


class TooSlow(ConnectError):
    """The server took too long to answer."""

    element = "Url"
