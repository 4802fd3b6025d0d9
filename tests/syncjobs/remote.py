"""An organization hosted here that is reached as if it were somewhere else: URL, user, password."""

from __future__ import annotations

from urllib.parse import urlsplit

from connections.connectors.base import Identity
from connections.connectors.hosted import HostedConnector
from connections.errors import LoginFailed, Unreachable
from organizations.models import Organization
from tests.syncjobs.making import PASSWORD

DOTTED_PATH = "tests.syncjobs.remote.RemoteConnector"


class RemoteConnector(HostedConnector):
    """The first label of the URL's host names the organization."""

    def __init__(self, url: str, user_name: str, secret: str, *, authority: str = "") -> None:
        name = (urlsplit(url).hostname or "").partition(".")[0]
        organization = Organization.objects.filter(name=name).first()
        if organization is None:
            raise Unreachable(f"There is no host '{urlsplit(url).hostname}'.")
        super().__init__(organization)
        self._secret = secret

    def identify(self) -> Identity:
        if self._secret != PASSWORD:
            raise LoginFailed("The password is not right.")
        return super().identify()
