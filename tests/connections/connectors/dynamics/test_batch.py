"""The multipart form of ``$batch`` (dataverse.md §4.3)."""

from __future__ import annotations

import re
from decimal import Decimal

import orjson
import pytest

from connections.connectors.dynamics.batch import (
    BatchTooLarge,
    BatchUnknown,
    Part,
    decode,
    encode,
    exchange,
    portions,
)
from connections.egress import Reply
from connections.errors import Refused, Retryable
from tests.fakes.dataverse import connected, failed
from tests.fakes.server import Answer

ROOT = "https://contoso.crm.dynamics.com/api/data/v9.2/"
EMPTY = "HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n"


def make_part(message: str, *, number: int | None = None) -> str:
    content_id = "" if number is None else f"Content-ID: {number}\r\n"
    return (
        "--batchresponse_1\r\nContent-Type: application/http\r\n"
        f"Content-Transfer-Encoding: binary\r\n{content_id}\r\n{message}\r\n"
    )


def make_body(*parts: str) -> str:
    return "".join(parts) + "--batchresponse_1--\r\n"


def make_reply(body: str, content_type: str = "multipart/mixed; boundary=batchresponse_1") -> Reply:
    return Reply(200, {"Content-Type": content_type}, body.encode(), ROOT)


def answering(body: str, status: int = 200) -> Answer:
    headers = {"Content-Type": "multipart/mixed; boundary=batchresponse_1"}
    return Answer(status, body.encode(), headers)


def test_it_writes_operations_as_documented() -> None:
    parts = [
        Part("GET", "accounts?$top=1"),
        Part(
            "PATCH", "accounts(1)", {"If-Match": 'W/"5"'}, {"name": "Žluť", "cost": Decimal("0.10")}
        ),
    ]
    content_type, body = encode(ROOT, parts)
    boundary = re.fullmatch(r'multipart/mixed; boundary="(batch_[0-9a-f-]+)"', content_type)
    assert boundary is not None
    mark = boundary.group(1)
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {}"
    assert body.decode() == (
        f"--{mark}\r\n{head.format(1)}\r\n\r\nGET {ROOT}accounts?$top=1 HTTP/1.1\r\n"
        f"Accept: application/json\r\n\r\n\r\n"
        f"--{mark}\r\n{head.format(2)}\r\n\r\nPATCH {ROOT}accounts(1) HTTP/1.1\r\n"
        'Accept: application/json\r\nIf-Match: W/"5"\r\nContent-Type: application/json\r\n\r\n'
        f'{{"name":"Žluť","cost":0.10}}\r\n--{mark}--\r\n'
    )


def test_it_never_puts_a_link_elsewhere_into_a_batch() -> None:
    with pytest.raises(Refused, match="Links to another host are never followed"):
        encode(ROOT, [Part("GET", "https://evil.example/api/data/v9.2/accounts")])


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("boundary", ["batchresponse_1", '"batchresponse_1"'])
def test_it_reads_answers(ends: str, boundary: str) -> None:
    found = 'HTTP/1.1 200 OK\r\nETag: W/"5"\r\n\r\n{"value":[{"name":"Žluť"}]}'
    body = make_body(make_part(found), make_part(EMPTY)).replace("\r\n", ends)
    first, second = decode(make_reply(body, f"multipart/mixed; boundary={boundary}"))
    assert (first.status, orjson.loads(first.body)) == (200, {"value": [{"name": "Žluť"}]})
    assert first.headers["etag"] == 'W/"5"'
    assert (second.status, second.body) == (204, b"")


def test_it_reads_answers_inside_change_sets() -> None:
    inner = make_body(make_part(EMPTY, number=2), make_part(EMPTY, number=1))
    inner = inner.replace("batchresponse_1", "changesetresponse_2")
    outer = (
        "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_2\r\n\r\n"
    )
    body = make_body(outer + inner)
    assert [reply.headers["Content-ID"] for reply in decode(make_reply(body))] == ["1", "2"]


def test_it_puts_answers_in_the_order_of_their_numbers() -> None:
    other = EMPTY.replace("204 No Content", "404 Not Found")
    body = make_body(make_part(other, number=2), make_part(EMPTY, number=1))
    assert [reply.status for reply in decode(make_reply(body))] == [204, 404]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (make_part(EMPTY), "multipart/mixed; boundary=batchresponse_1", "the end is missing"),
        ("", "multipart/mixed; boundary=batchresponse_1", "the end is missing"),
        ("{}", "application/json", "no multipart answer"),
        (make_body(make_part("no")), "multipart/mixed; boundary=batchresponse_1", "no status"),
    ],
)
def test_a_broken_answer_is_no_answer(body: str, content_type: str, message: str) -> None:
    with pytest.raises(Retryable, match=message):
        decode(make_reply(body, content_type))


def test_it_wants_an_answer_to_every_operation() -> None:
    answer = answering(make_body(make_part(EMPTY)))
    parts = [Part("DELETE", "accounts(1)"), Part("DELETE", "accounts(2)")]
    with (
        connected({"POST $batch": [answer]}) as (fake, connector),
        pytest.raises(Retryable, match="1 answers to 2 operations"),
    ):
        exchange(connector.client, parts)
    assert len(fake.asked) == 1
    assert fake.asked[0].headers["prefer"] == "odata.continue-on-error"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(404), BatchUnknown),
        (Answer(501), BatchUnknown),
        (Answer(413), BatchTooLarge),
        (failed("0x80048d19"), Refused),
    ],
)
def test_a_refused_batch_says_what_it_was(answer: Answer, kind: type[Exception]) -> None:
    with connected({"POST $batch": [answer]}) as (_, connector), pytest.raises(kind):
        exchange(connector.client, [Part("GET", "accounts")])


def test_only_batches_of_gets_are_sent_twice() -> None:
    fine = answering(make_body(make_part(EMPTY)))
    with connected({"POST $batch": [Answer(502), fine]}) as (fake, connector):
        (reply,) = exchange(connector.client, [Part("GET", "accounts")])
        assert (reply.status, len(fake.asked)) == (204, 2)
    with connected({"POST $batch": [Answer(502), fine]}) as (fake, connector):
        with pytest.raises(Retryable):
            exchange(connector.client, [Part("DELETE", "accounts(1)")])
        assert len(fake.asked) == 1


def test_portions_keep_within_number_and_size() -> None:
    small = [Part("GET", "accounts")] * 5
    assert [list(item) for item in portions(small, 2)] == [[0, 1], [2, 3], [4]]
    large = [Part("POST", "accounts", document={"x": "y" * (20 << 20)})] * 3
    assert [list(item) for item in portions(large, 1000)] == [[0], [1], [2]]
