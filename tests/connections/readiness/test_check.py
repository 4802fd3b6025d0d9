"""Asking a server: in memory, refused, and Dataverse with its few requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from connections.connectors.base import EntitySummary, Identity
from connections.connectors.dynamics import preflight
from connections.connectors.memory.connector import MemoryConnector
from connections.connectors.memory.organization import MemoryOrganization
from connections.errors import LoginFailed
from connections.readiness.check import check
from connections.readiness.report import Colour
from organizations.schema import Entity
from tests.connections.metadata.generated import make_named
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer

USER = "00000000-0000-0000-0000-000000000002"
COUNTS = "GET RetrieveTotalRecordCount(EntityNames=@p1)"


class Server(MemoryConnector):
    """Has two entities, one of which cannot be carried."""

    def __init__(self) -> None:
        super().__init__(MemoryOrganization.of("server", [make_named("a"), make_named("b")]))

    def entities(self) -> Iterator[EntitySummary]:
        for summary in super().entities():
            problem = "It is difficult." if summary.name == "b" else ""
            yield replace(summary, problem=problem)


class Closed(Server):
    def identify(self) -> Identity:
        raise LoginFailed("The secret has expired.")


def test_every_enabled_entity_is_reported_in_order() -> None:
    told: list[tuple[str, int, int]] = []
    report = check(Server(), ["gone", "b", "a"], progress=lambda *step: told.append(step))
    assert [(item.name, item.colour) for item in report.entities][:2] == [
        ("gone", Colour.RED),
        ("b", Colour.RED),
    ]
    assert (report.entities[2].name, report.entities[2].readable) == ("a", True)
    assert report.entities[2].count == 0
    assert told == [("a", 0, 1)]


def test_a_server_that_refuses_the_login_has_a_red_report_with_the_reason() -> None:
    report = check(Closed(), ["a"])
    (finding,) = report.server
    assert (finding.colour, finding.text) == (Colour.RED, "The secret has expired.")
    assert "connect again" in finding.fix
    assert report.entities == ()


def make_entities(*names: str) -> list[Entity]:
    return [make_named(name) for name in names]


def test_facts_of_dataverse_are_roles_token_window_and_limits() -> None:
    who = replace(told({"UserId": USER, "OrganizationId": USER}), headers={"x-ms-dop-hint": "8"})
    answers = {
        "GET WhoAmI": [who],
        f"GET systemusers({USER})/systemuserroles_association": [
            told({"value": [{"name": "Sales"}, {"name": "Basic"}]})
        ],
        "GET organizations": [told({"value": [{"expirechangetrackingindays": 30}]})],
    }
    with connected(answers) as (_, connector):
        facts = connector.server_facts()
    assert (facts.roles, facts.token_days) == (("Basic", "Sales"), 30)
    assert facts.limits == ("The server recommends 8 requests at once.",)


def test_facts_that_are_denied_stay_unknown() -> None:
    denied = failed("0x80040220", status=403)
    answers = {
        "GET WhoAmI": [told({"UserId": USER})],
        f"GET systemusers({USER})/systemuserroles_association": [denied],
        "GET organizations": [denied],
    }
    with connected(answers) as (_, connector):
        facts = connector.server_facts()
    assert (facts.roles, facts.token_days, facts.limits) == (None, None, ())


def make_batch() -> Answer:
    """The second table is denied."""
    error = '{"error":{"code":"0x80040220","message":"prvReadB"}}'
    parts = ("HTTP/1.1 200 OK\r\n\r\n{}", f"HTTP/1.1 403 Forbidden\r\n\r\n{error}")
    head = "--r\r\nContent-Type: application/http\r\n\r\n"
    body = "".join(f"{head}{part}\r\n" for part in parts) + "--r--\r\n"
    return Answer(200, body.encode(), {"Content-Type": "multipart/mixed; boundary=r"})


def test_many_tables_are_tried_with_one_batch() -> None:
    with connected({"POST $batch": [make_batch()]}) as (fake, connector):
        found = connector.unreadable(make_entities("a", "b"))
    (request,) = fake.asked
    lines = [line for line in request.body.decode().splitlines() if line.startswith("GET ")]
    assert [unquote(line).split("?")[1].split(" ")[0] for line in lines] == [
        "$select=aid&$top=1",
        "$select=bid&$top=1",
    ]
    assert list(found) == ["b"]
    assert "prvReadB" in found["b"]


def test_without_batch_they_are_tried_one_by_one() -> None:
    answers = {
        "POST $batch": [Answer(501)],
        "GET as": [told({"value": []})],
        "GET bs": [failed("0x80040220", "prvReadB", status=403)],
    }
    with connected(answers) as (_, connector):
        assert list(connector.unreadable(make_entities("a", "b"))) == ["b"]


def test_counts_come_together_and_a_name_that_is_not_taken_costs_itself() -> None:
    def counted(**counts: int) -> Answer:
        keys, values = list(counts), list(counts.values())
        return told({"EntityRecordCountCollection": {"Keys": keys, "Values": values}})

    wrong = failed("0x80040203", "No such entity.")
    answers = {COUNTS: [wrong, counted(a=3), wrong]}
    with connected(answers) as (fake, connector):
        assert connector.estimates(make_entities("a", "b")) == {"a": 3}
        assert len(fake.asked) == 3
    with connected({COUNTS: [counted(a=1, b=2)]}) as (fake, connector):
        assert preflight.counts(connector.client, ["a", "b"]) == {"a": 1, "b": 2}
        assert len(fake.asked) == 1
