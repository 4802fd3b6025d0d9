"""ConnectAsync refuses what is wrong, names the element, and leaves no row behind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson
import pytest
import requests
from lxml import etree
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import admission
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define
from organizations.models import Application, Member, Organization
from organizations.samples import contoso
from syncjobs.models import Run

ADMIN = ("admin@field.example", "a long enough phrase")
DYNAMICS = "60650fb3-5d8b-45dd-b82e-459f3b019e9a"
SECRET = "a secret of the twin"
SERVED = frozenset({"account", "lead", "competitor", "leadcompetitors", "activityparty"})
FETCH = '<fetchcollection><fetch><entity name="{}">{}</entity></fetch></fetchcollection>'


@dataclass(frozen=True)
class Door:
    """The door of one installation, with a twin to connect to."""

    base: str
    url: str
    client_id: str
    secret: str

    def setup(self, **changes: str) -> str:
        """Return a right SyncSetup, or one with some elements changed or left out ('-')."""
        values = {
            "ProviderID": DYNAMICS,
            "Url": self.url,
            "UserName": self.client_id,
            "Password": self.secret,
        } | changes
        inner = "".join(f"<{k}>{v}</{k}>" for k, v in values.items() if v != "-")
        person = f"<RegistrationInfo><Email>{ADMIN[0]}</Email></RegistrationInfo>"
        return f"<SyncSetup>{inner}{person}</SyncSetup>"

    def request(self, more: str = "", **changes: str) -> str:
        """Return a whole request."""
        return f"<ConnectRequest>{self.setup(**changes)}{more}</ConnectRequest>"

    def post(
        self,
        body: str | bytes,
        *,
        client: str = "field",
        auth: tuple[str, str] | None = ADMIN,
        content_type: str = "application/xml",
    ) -> requests.Response:
        """Post a body to ConnectAsync."""
        return requests.post(
            f"{self.base}/rest/v1/sync/{client}/ConnectAsync",
            data=body,
            auth=auth,
            headers={"Content-Type": content_type},
            timeout=60,
        )


@pytest.fixture
def door(transactional_db: None, live_server: LiveServer, settings: Settings) -> Door:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    twin = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    define(twin, [entity for entity in contoso.entities() if entity.name in SERVED])
    application = Application(organization=twin, name="test")
    application.set_secret(SECRET)
    application.save()
    return Door(base, f"{base}/dynamics/contoso", str(application.id), SECRET)


def counted() -> tuple[int, ...]:
    models = (Connection, Endpoint, SyncedEntity, Run, Organization, Member)
    return tuple(model.objects.count() for model in models)


Body = Callable[[Door], str]

BAD: dict[str, tuple[Body, int, str]] = {
    "malformed XML": (lambda door: "<ConnectRequest><SyncSetup>", 400, ""),
    "an empty body": (lambda door: "", 400, ""),
    "an entity": (
        lambda door: '<!DOCTYPE a [<!ENTITY x "y">]><ConnectRequest>&x;</ConnectRequest>',
        400,
        "DOCTYPE",
    ),
    "a DTD": (
        lambda door: '<!DOCTYPE ConnectRequest SYSTEM "http://127.0.0.1/x.dtd"><ConnectRequest/>',
        400,
        "DOCTYPE",
    ),
    "5 MiB": (lambda door: door.request(f"<X>{'x' * 5 * 1024 * 1024}</X>"), 413, ""),
    "100 levels": (lambda door: door.request("<a>" * 100 + "</a>" * 100), 400, "a"),
    "another document element": (lambda door: "<SyncRequest/>", 400, "SyncRequest"),
    "no SyncSetup": (lambda door: "<ConnectRequest/>", 400, "SyncSetup"),
    "two SyncSetup": (lambda door: door.request(door.setup()), 400, "SyncSetup"),
    "no ProviderID": (lambda door: door.request(ProviderID="-"), 400, "ProviderID"),
    "a ProviderID that is no GUID": (
        lambda door: door.request(ProviderID="Dynamics"),
        400,
        "ProviderID",
    ),
    "an unknown ProviderID": (
        lambda door: door.request(ProviderID="11111111-1111-1111-1111-111111111111"),
        400,
        "ProviderID",
    ),
    "no Url": (lambda door: door.request(Url="-"), 400, "Url"),
    "a Url of another scheme": (lambda door: door.request(Url="file:///etc/passwd"), 400, "Url"),
    "elements where text belongs": (lambda door: door.request(Url="<a>b</a>"), 400, "Url"),
    "a loopback Url that is not allowed": (
        lambda door: door.request(Url="http://127.0.0.2:1/"),
        400,
        "Url",
    ),
    "the address of cloud metadata": (
        lambda door: door.request(Url="http://169.254.169.254/"),
        400,
        "Url",
    ),
    "a port where nobody listens": (
        lambda door: door.request(Url="http://127.0.0.1:9/"),
        400,
        "Url",
    ),
    "a wrong password": (lambda door: door.request(Password="wrong"), 400, "Password"),
    "an unknown entity": (
        lambda door: door.request("<Entities>account;unicorn</Entities>"),
        400,
        "Entities",
    ),
    "an entity that is never carried alone": (
        lambda door: door.request("<Entities>activityparty</Entities>"),
        400,
        "Entities",
    ),
    "an entity twice": (
        lambda door: door.request("<Entities>lead;lead</Entities>"),
        400,
        "Entities",
    ),
    "a SyncDeletion that is neither": (
        lambda door: door.request('<Entities><Entity Name="lead" SyncDeletion="2"/></Entities>'),
        400,
        "SyncDeletion",
    ),
    "broken FetchXML": (
        lambda door: door.request("<SyncFiltersXml>&lt;fetch</SyncFiltersXml>"),
        400,
        "SyncFiltersXml",
    ),
    "FetchXML of an entity that is not chosen": (
        lambda door: door.request(
            "<Entities>lead</Entities>"
            f"<SyncFiltersXml>{FETCH.format('account', '')}</SyncFiltersXml>"
        ),
        400,
        "SyncFiltersXml",
    ),
    "FetchXML of an unknown attribute": (
        lambda door: door.request(
            "<SyncFiltersXml>"
            + FETCH.format(
                "account", '<filter><condition attribute="horn" operator="null"/></filter>'
            )
            + "</SyncFiltersXml>"
        ),
        400,
        "SyncFiltersXml",
    ),
    "FetchXML of an N:N entity": (
        lambda door: door.request(
            f"<SyncFiltersXml>{FETCH.format('leadcompetitors', '')}</SyncFiltersXml>"
        ),
        400,
        "SyncFiltersXml",
    ),
    "an e-mail that is none": (
        lambda door: door.request().replace(ADMIN[0], "nobody"),
        400,
        "Email",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_it_refuses_bad_input_and_leaves_nothing(door: Door, case: str) -> None:
    make_body, status, element = BAD[case]
    before = counted()
    answer = door.post(make_body(door))
    fault = etree.fromstring(answer.content)
    assert (answer.status_code, fault.tag) == (status, "Fault"), answer.text
    assert fault.findtext("Detail", "") == element
    assert fault.findtext("Reason")
    assert counted() == before


def test_it_refuses_another_content_type(door: Door) -> None:
    answer = door.post(door.request(), content_type="text/plain")
    assert answer.status_code == 415
    assert "send application/xml or application/json" in answer.text


def test_it_asks_for_credentials(door: Door) -> None:
    answer = door.post(door.request(), auth=None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("name", ["admin", "a", "with space", "UPPER"])
def test_it_refuses_reserved_and_impossible_names(door: Door, name: str) -> None:
    answer = door.post(door.request(), client=name)
    assert answer.status_code == 400
    assert etree.fromstring(answer.content).findtext("Detail") == "ClientOrganization"


def test_it_refuses_a_weak_password_of_the_new_administrator(door: Door) -> None:
    answer = door.post(door.request(), auth=(ADMIN[0], "12345678"))
    assert answer.status_code == 400
    assert etree.fromstring(answer.content).findtext("Detail") == "Authorization"


def test_it_gives_one_answer_for_taken_and_unknown_names(door: Door) -> None:
    bare = door.request().replace(ADMIN[0], "").replace("<Email></Email>", "")
    unregistered = bare.replace("<RegistrationInfo></RegistrationInfo>", "")
    assert door.post(door.request()).status_code == 202
    stranger = ("stranger@example.com", "some other phrase")
    taken = door.post(unregistered, auth=stranger)
    unknown = door.post(unregistered, auth=stranger, client="nobody")
    assert (taken.status_code, unknown.status_code) == (401, 401)
    assert taken.content == unknown.content


@pytest.mark.parametrize(
    ("policy", "message"),
    [("closed", "does not take new organizations"), ("invite", "need the registration key")],
)
def test_it_guards_registration(door: Door, settings: Settings, policy: str, message: str) -> None:
    settings.RESCO_SYNC_REGISTRATION = policy
    answer = door.post(door.request())
    assert answer.status_code == 403
    assert message in answer.text
    assert not Organization.objects.filter(name="field").exists()


def test_it_takes_the_registration_key_of_an_invitation(door: Door, settings: Settings) -> None:
    settings.RESCO_SYNC_REGISTRATION = "invite"
    settings.RESCO_SYNC_REGISTRATION_KEY = "open sesame"
    key = "<RegistrationKey>open sesame</RegistrationKey></RegistrationInfo>"
    answer = door.post(door.request().replace("</RegistrationInfo>", key))
    assert answer.status_code == 202, answer.text


def test_it_leaves_entities_and_filters_as_they_are_unless_told(door: Door) -> None:
    wanted = FETCH.format(
        "lead", '<filter><condition attribute="statecode" operator="eq" value="0"/></filter>'
    )
    first = f"<Entities>lead;account</Entities><SyncFiltersXml>{wanted}</SyncFiltersXml>"
    assert door.post(door.request(first)).status_code == 202
    assert enabled() == {"lead", "account"}
    assert door.post(door.request()).status_code == 202
    assert enabled() == {"lead", "account"}
    assert "statecode" in SyncedEntity.objects.get(name="lead").filter_xml
    assert door.post(door.request("<Entities>lead</Entities><SyncFiltersXml/>")).status_code == 202
    assert enabled() == {"lead"}
    assert SyncedEntity.objects.get(name="lead").filter_xml == ""
    assert Connection.objects.count() == 1


def enabled() -> set[str]:
    return set(SyncedEntity.objects.filter(enabled=True).values_list("name", flat=True))


def test_it_answers_json_in_json(door: Door) -> None:
    setup = {"ProviderID": DYNAMICS, "Url": door.url, "UserName": "x", "Password": "y"}
    document = orjson.dumps({"SyncSetup": setup})
    answer = door.post(document, content_type="application/json")
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "reason", "detail"}


def test_it_keeps_the_secret_out_of_every_answer_and_row(door: Door) -> None:
    assert door.post(door.request()).status_code == 202
    endpoint = Endpoint.objects.get(backend="dynamics")
    assert door.secret not in endpoint.sealed_secret
    failed = door.post(door.request(Password="hush-hush-secret"))
    assert "hush-hush-secret" not in failed.text


def test_two_requests_for_a_new_client_at_once_make_one(door: Door) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: door.post(door.request()), range(3)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 202
    assert set(statuses) <= {202, 409}, [answer.text for answer in answers]
    for answer in answers:
        if answer.status_code == 409:
            assert "by another request just now" in answer.text
    assert Connection.objects.count() == 1
    assert Endpoint.objects.count() == 2
    assert Member.objects.count() == 1
    assert Organization.objects.filter(kind=Organization.Kind.CLIENT).count() == 1
    assert Run.objects.count() == 1


@pytest.mark.parametrize("kind", ["address", "name", "target"])
def test_too_many_requests_wait(door: Door, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(admission.LIMITS, kind, 1)
    assert door.post(door.request(Password="wrong")).status_code == 400
    answer = door.post(door.request())
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    fault = etree.fromstring(answer.content)
    assert fault.findtext("Code") == "Throttled"
    assert "Too many attempts. Wait" in fault.findtext("Reason", "")
    assert not Organization.objects.filter(name="field").exists()


def test_what_an_administrator_does_is_not_counted(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(admission.LIMITS, "name", 2)
    for _ in range(4):
        assert door.post(door.request()).status_code == 202
