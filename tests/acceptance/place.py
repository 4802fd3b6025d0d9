"""One twin served over HTTP and the client connected to it, made once for all cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import requests

from connections.models import Connection
from organizations.models import Organization
from organizations.samples.twins import Twin
from organizations.store import Store
from syncjobs import deliver, dispatch, runner
from syncjobs.models import Run
from tests.acceptance.cells import Circumstances

ADMIN = ("admin@acceptance.example", "a long enough phrase")
SECONDS = 60
DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"


class WebApi:
    """The twin as its users write to it: the Dataverse Web API, one request after another."""

    def __init__(self, url: str, twin: Twin) -> None:
        self.url, self._twin = url.rstrip("/"), twin
        self._session = requests.Session()
        self._sign_in()

    def _sign_in(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._twin.client_id,
            "client_secret": self._twin.secret,
            "scope": f"{self.url}/.default",
        }
        answer = requests.post(f"{self.url}/oauth2/v2.0/token", data=form, timeout=SECONDS)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = f"{self.url}/api/data/v9.2/{path}"
        answer = self._session.request(method, url, json=body, timeout=SECONDS)
        if answer.status_code == 401:
            self._sign_in()
            answer = self._session.request(method, url, json=body, timeout=SECONDS)
        assert answer.status_code < 300 or answer.status_code == 404, (path, answer.text)
        return answer

    def create(self, set_name: str, **values: Any) -> str:
        answer = self.send("POST", set_name, values)
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def read(self, set_name: str, record_id: str) -> dict[str, Any] | None:
        answer = self.send("GET", f"{set_name}({record_id})")
        return None if answer.status_code == 404 else answer.json()

    def rows(self, set_name: str, filter: str = "") -> list[dict[str, Any]]:
        query = f"?$filter={quote(filter)}" if filter else ""
        found: list[dict[str, Any]] = self.send("GET", f"{set_name}{query}").json()["value"]
        return found


@dataclass
class Place:
    """The twin, its Web API, and the client organization."""

    base: str
    twin: Organization
    api: WebApi
    url: str
    login: tuple[str, str]
    name: str

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(name=self.name)

    @property
    def client(self) -> Store:
        """The client's records, by its newest metadata."""
        return Store(Organization.objects.get(name=self.name))

    def connect(self, entities: Sequence[str]) -> Run:
        """Connect by the published request, and carry the job out as a worker does."""
        document = {
            "SyncSetup": {
                "ProviderID": DYNAMICS,
                "Url": self.url,
                "UserName": self.login[0],
                "Password": self.login[1],
                "RegistrationInfo": {
                    "Email": ADMIN[0],
                    "FirstName": "Given",
                    "LastName": "Family",
                    "Company": "Example",
                },
            },
            "Entities": list(entities),
        }
        url = f"{self.base}/rest/v1/sync/{self.name}/ConnectAsync"
        answer = requests.post(url, json=document, auth=ADMIN, timeout=SECONDS)
        assert answer.status_code == 202, answer.text
        return self.work(UUID(answer.headers["Location"].rsplit("/", 1)[1]))

    def work(self, run_id: UUID, *, ends: str = Run.State.SUCCEEDED) -> Run:
        """Carry a run out as a worker does; it must end so."""
        runner.work(run_id)
        run = Run.objects.get(pk=run_id)
        told = [run.message, *run.errors.values_list("entity", "record", "code", "message")]
        assert run.state == ends, told
        return run

    def sync_all(self, *, ends: str = Run.State.SUCCEEDED) -> Run:
        return self.work(dispatch.start_sync(self.connection, reason="button").pk, ends=ends)

    def update_server(self) -> Run:
        return self.work(
            dispatch.start(self.connection, Run.Kind.UPDATE_SERVER, reason="button").pk
        )

    def deliver(self) -> None:
        """What a worker does that a change of the client calls; nothing in offline mode."""
        deliver.deliver(self.connection.pk)

    def under(self, circumstances: Circumstances, filters: dict[str, str]) -> None:
        """Set write mode and sync filters."""
        connection = self.connection
        connection.write_mode = circumstances.mode
        connection.save(update_fields=["write_mode"])
        connection.entities.update(sync_deletion=False)
        for entity in connection.entities.filter(enabled=True):
            entity.filter_xml = filters.get(entity.name, "") if circumstances.is_filtered else ""
            entity.save(update_fields=["filter_xml"])
