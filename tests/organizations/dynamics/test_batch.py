"""`$batch`: several operations in one request."""

from __future__ import annotations

import json
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.organizations.dynamics import batches
from tests.organizations.dynamics.batches import CRLF, LF, change_set, operation, send
from tests.organizations.dynamics.library import HOST, Api, make

pytestmark = pytest.mark.django_db
GO_ON = "odata.continue-on-error"


def names(api: Api) -> list[str]:
    return sorted(row["name"] for row in api.rows("books?$select=name"))


@pytest.mark.parametrize("end", [CRLF, LF])
def test_it_answers_each_operation_in_order(api: Api, end: str) -> None:
    book = make(api.twin, "book", name="Lies")
    status, parts = send(
        api,
        operation("GET", f"books({book})?$select=name", end=end),
        operation("POST", "books", {"name": "New"}, end=end),
        operation("DELETE", f"books({book})", end=end),
        end=end,
    )
    assert (status, [part.status for part in parts]) == (200, [200, 204, 204])
    assert parts[0].body["name"] == "Lies"
    assert parts[0].headers["OData-Version"] == "4.0"
    assert parts[1].headers["OData-EntityId"].startswith(f"{HOST}{api.root}books(")
    assert parts[1].headers["Location"] == parts[1].headers["OData-EntityId"]
    assert names(api) == ["New"]


@pytest.mark.parametrize(
    "address",
    [
        f"{HOST}/dynamics/library/api/data/v9.2/books",
        "https://elsewhere.example/api/data/v9.1/books",
        "/dynamics/library/api/data/v9.2/books",
        "/api/data/v9.0/books",
        "books",
    ],
)
def test_addresses_are_absolute_or_relative(api: Api, address: str) -> None:
    make(api.twin, "book", name="Lies")
    status, (part,) = send(api, operation("GET", f"{address}?$filter=name eq 'Lies'"))
    assert (status, part.body["value"][0]["name"]) == (200, "Lies")


@pytest.mark.parametrize("address", ["/elsewhere", "/dynamics/other/api/data/v9.2/books"])
def test_a_foreign_address_is_refused(api: Api, address: str) -> None:
    status, (part,) = send(api, operation("GET", address))
    assert (status, part.status) == (400, 400)
    assert "is not one of this service" in part.body["error"]["message"]


def test_parts_need_no_empty_line_after_their_headers(api: Api) -> None:
    text = (
        "--b\r\nContent-Type: application/http\r\n\r\nGET books HTTP/1.1\r\n"
        "Accept: application/json\r\n\r\n--b\r\nContent-Type: application/http\r\n\r\n"
        "GET authors HTTP/1.1\r\n--b--"
    )
    response = batches.post(api, text, content_type="multipart/mixed;boundary=b")
    parts = batches.replies(response.content.decode(), response["Content-Type"])
    assert [part.status for part in parts] == [200, 200]


def test_it_stops_at_the_first_error(api: Api) -> None:
    status, parts = send(
        api,
        operation("POST", "books", {"name": "A"}),
        operation("GET", f"books({uuid4()})"),
        operation("POST", "books", {"name": "B"}),
    )
    assert (status, [part.status for part in parts]) == (404, [204, 404])
    assert parts[1].body["error"]["code"] == "0x80040217"
    assert names(api) == ["A"]


def test_it_goes_on_if_asked(api: Api) -> None:
    response = batches.post(
        api,
        batches.body_of(
            operation("POST", "books", {"x": 1}),
            operation("POST", "books", {"name": "B"}),
        ),
        prefer=GO_ON,
    )
    assert (response.status_code, response["Preference-Applied"]) == (200, GO_ON)
    parts = batches.replies(response.content.decode(), response["Content-Type"])
    assert [part.status for part in parts] == [400, 204]
    assert names(api) == ["B"]


@pytest.mark.parametrize("end", [CRLF, LF])
def test_a_change_set_is_carried_out_as_one(api: Api, end: str) -> None:
    status, (replies,) = send(
        api,
        change_set(
            operation("POST", "authors", {"name": "Ada"}, content_id="1", end=end),
            operation(
                "POST",
                "books",
                {"name": "A", "EditorId@odata.bind": "$1"},
                content_id="100002",
                end=end,
            ),
            end=end,
        ),
        end=end,
    )
    assert status == 200
    assert [(reply.status, reply.content_id) for reply in replies] == [(204, "1"), (204, "100002")]
    author = api.rows("authors")[0]["authorid"]
    assert api.rows("books")[0]["_editorid_value"] == author


def test_a_failing_change_set_leaves_nothing(api: Api) -> None:
    status, parts = send(
        api,
        change_set(
            operation("POST", "books", {"name": "A"}, content_id="1"),
            operation("PATCH", f"books({uuid4()})", {"x": 1}, content_id="2"),
            operation("POST", "books", {"name": "C"}, content_id="3"),
        ),
        operation("POST", "books", {"name": "After"}),
        prefer=GO_ON,
    )
    assert (status, len(parts)) == (200, 2)
    assert (parts[0].status, parts[0].content_id) == (400, "2")
    assert "Invalid property 'x'" in parts[0].body["error"]["message"]
    assert names(api) == ["After"]


def test_references_stand_in_addresses_and_bodies(api: Api) -> None:
    status, (replies,) = send(
        api,
        change_set(
            operation("POST", "books", {"name": "A"}, content_id="1"),
            operation("POST", "shelves", {"name": "top"}, content_id="2"),
            operation("POST", "authors", {"name": "Ada"}, content_id="3"),
            operation("PATCH", "$1", {"name": "B"}, content_id="4"),
            operation(
                "POST", "$1/book_shelf_association/$ref", {"@odata.id": "$2"}, content_id="5"
            ),
            operation("PUT", "$1/EditorId/$ref", {"@odata.id": "$3"}, content_id="6"),
        ),
    )
    assert (status, [reply.status for reply in replies]) == (200, [204] * 6)
    (book,) = api.rows("books")
    assert book["name"] == "B"
    assert book["_editorid_value"] == api.rows("authors")[0]["authorid"]
    assert len(api.rows("bookshelfcollection")) == 1


@pytest.mark.parametrize(
    ("address", "body"),
    [("$7", {"name": "x"}), ("books", {"EditorId@odata.bind": "$7"})],
)
def test_a_reference_to_nothing_is_refused(api: Api, address: str, body: object) -> None:
    method = "PATCH" if address == "$7" else "POST"
    status, (part,) = send(api, change_set(operation(method, address, body, content_id="1")))
    assert (status, part.status) == (400, 400)
    sentence = "Content-ID Reference: '$7' does not exist in the batch context."
    assert part.body["error"]["message"] == sentence


def test_text_that_looks_like_a_reference_stays(api: Api) -> None:
    send(api, operation("POST", "books", {"name": "$1"}))
    assert names(api) == ["$1"]


def test_headers_of_a_part_count(api: Api) -> None:
    book = make(api.twin, "book", name="A")
    wanted = {"Prefer": "return=representation"}
    status, parts = send(
        api,
        operation("PATCH", f"books({book})?$select=name", {"name": "B"}, wanted),
        operation("PATCH", f"books({book})", {"name": "C"}, {"If-Match": 'W/"1"'}),
    )
    assert (status, [part.status for part in parts]) == (412, [200, 412])
    assert parts[0].headers["Preference-Applied"] == "return=representation"
    assert parts[0].body["name"] == "B"


def test_long_queries_fit_in(api: Api) -> None:
    make(api.twin, "book", name="Žluť 1")
    values = "".join(f"<value>{number:040d}</value>" for number in range(900))
    fetch = (
        "<fetch><entity name='book'><attribute name='name'/><filter type='or'>"
        f"<condition attribute='name' operator='in'>{values}</condition>"
        "<condition attribute='name' operator='eq' value='Žluť 1'/></filter></entity></fetch>"
    )
    address = f"books?fetchXml={quote(fetch, safe='<>/')}"
    assert 32_768 < len(address) < 65_536
    status, (part,) = send(api, operation("GET", address))
    assert (status, [row["name"] for row in part.body["value"]]) == (200, ["Žluť 1"])
    response = batches.post(api, batches.body_of(operation("GET", address + "x" * 40000)))
    assert b"more than 65536 characters" in response.content


def refused(api: Api, body: str, kind: str = 'multipart/mixed; boundary="batch_1"') -> str:
    response = batches.post(api, body, content_type=kind)
    assert response.status_code == 400
    error = json.loads(response.content)["error"]
    assert error["code"] == "0x80048d19"
    return str(error["message"])


def test_malformed_batches_are_refused(api: Api) -> None:
    one = operation("POST", "books", {"name": "A"}, content_id="1")
    get = operation("GET", "books", content_id="1")
    anonymous = operation("POST", "books", {"name": "A"})
    html = one.replace("application/http", "text/html")
    whole = batches.body_of
    assert "must be multipart/mixed" in refused(api, whole(one), "application/json")
    assert "stream was not readable" in refused(api, "--batch_1\r\n")
    assert "holds no operation" in refused(api, "--batch_1--")
    assert "1000 are allowed" in refused(api, whole(*[one] * 1001))
    assert "another batch" in refused(api, whole(operation("POST", "$batch", {})))
    assert "method GET is not allowed" in refused(api, whole(change_set(get)))
    assert "needs a Content-ID" in refused(api, whole(change_set(anonymous)))
    assert "stands twice" in refused(api, whole(change_set(one, one)))
    assert "another multipart body" in refused(
        api, whole(change_set(change_set(one, name="inner")))
    )
    assert "Content-Type 'text/html'" in refused(api, whole(html))
    assert "method and address" in refused(api, whole(one.replace("POST books", "books")))
    assert names(api) == []


def test_a_failing_write_leaves_the_rest_of_a_batch_alone(api: Api) -> None:
    number = {"name": "A", "pages": 10**30}
    _, parts = send(
        api,
        operation("POST", "books", number),
        operation("POST", "books", {"name": "B"}),
        prefer=GO_ON,
    )
    assert [part.status for part in parts] == [400, 204]


def test_a_batch_is_sent_by_post(api: Api) -> None:
    assert api.fails("$batch")[0] == 405


def test_a_batch_needs_a_token(api: Api) -> None:
    response = api.client.post(f"{api.root}$batch", b"", content_type="multipart/mixed")
    assert response.status_code == 401
