"""How the Dynamics connector reads everything, changes, and through filters."""

from __future__ import annotations

import pytest

from connections.errors import (
    CheckpointExpired,
    MetadataChanged,
    Refused,
    Retryable,
)
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.schema import Entity
from tests.connections.connectors.dynamics.making import (
    ID,
    LOW,
    ids_of,
    make_account,
    make_page,
    make_row,
    read,
)
from tests.fakes.dataverse import FakeDataverse, connected, failed, told
from tests.fakes.server import Answer


def tell_a_story(fake: FakeDataverse) -> None:
    """A load of two pages, a catch-up, a delta with changes, a delta without."""
    link = f"{fake.url}/api/data/v9.2/accounts?$select=x&$"
    gone = {"@odata.context": "x/$metadata#accounts/$deletedEntity", "id": ID.format(1)}
    fake.on(
        "GET accounts",
        LOW,
        make_page(make_row(1, 5), nextLink=f"{link}skiptoken=2"),
        make_page(make_row(2, 1001), deltaLink=f"{link}deltatoken=7"),
        make_page(make_row(2, 1001), make_row(3, 1002)),
        make_page(make_row(2, 1001), make_row(3, 1003), gone, deltaLink=f"{link}deltatoken=8"),
        make_page(deltaLink=f"{link}deltatoken=9"),
    )


def test_it_reads_all_then_what_changed_meanwhile_then_deltas() -> None:
    entity = make_account()
    with connected({}) as (fake, connector):
        tell_a_story(fake)
        first = read(connector, entity)
        second = read(connector, entity, since=first[-1].checkpoint)
        third = read(connector, entity, since=second[-1].checkpoint)
    assert ids_of(first) == ["1", "2"]
    # 2 was given at that very version before; 3 was changed while the first load ran.
    assert ids_of(second) == ["3", "3"]
    assert [item for page in second for item in page.deleted] == [ID.format(1)]
    assert ids_of(third) == []


def test_it_asks_for_changes_as_documented() -> None:
    entity = make_account()
    with connected({}) as (fake, connector):
        tell_a_story(fake)
        first = read(connector, entity)
        second = read(connector, entity, since=first[-1].checkpoint)
        read(connector, entity, since=second[-1].checkpoint)
        prefers = [request.headers.get("prefer") for request in fake.asked]
        targets = fake.targets()
    assert prefers[1] == prefers[2] == "odata.track-changes,odata.maxpagesize=5000"
    assert prefers[4] == "odata.maxpagesize=5000"
    assert targets == [
        "accounts?$select=versionnumber&$orderby=versionnumber desc&$top=1",
        "accounts?$select=accountid,name,versionnumber",
        "accounts?$select=x&$skiptoken=2",
        "accounts?$select=accountid,name,versionnumber&$filter=versionnumber gt 500"
        "&$orderby=versionnumber asc",
        "accounts?$select=x&$deltatoken=7",
        "accounts?$select=x&$deltatoken=8",
    ]


def test_it_reads_everything_again_without_a_delta_link() -> None:
    with (
        connected({"GET accounts": [LOW, make_page(make_row(1, 5))]}) as (_, connector),
        pytest.raises(CheckpointExpired, match="gave no delta link for 'account'"),
    ):
        read(connector, make_account())


def test_it_looks_back_where_versions_commit_out_of_order() -> None:
    entity = make_account(tracked=False)
    answers = [
        LOW,
        make_page(make_row(1, 400), make_row(2, 1000)),
        LOW,
        make_page(make_row(3, 998), make_row(2, 1000)),
        make_page({"versionnumber": 1001}),
        make_page(make_row(3, 998), make_row(2, 1000), make_row(1, 1001)),
    ]
    with connected({"GET accounts": answers}) as (_, connector):
        first = read(connector, entity)
        second = read(connector, entity, since=first[-1].checkpoint)
        third = read(connector, entity, since=second[-1].checkpoint)
    assert (ids_of(first), ids_of(second), ids_of(third)) == (["1", "2"], ["3"], ["1"])


def test_it_goes_by_time_of_change_where_there_are_no_versions() -> None:
    entity = make_account(tracked=False, versions=False)
    latest = make_page({"modifiedon": "2024-05-01T10:00:00Z"})
    answers = [latest, make_page(make_row(1, 0)), latest, make_page(make_row(1, 0))]
    with connected({"GET accounts": answers}) as (fake, connector):
        first = read(connector, entity)
        assert ids_of(read(connector, entity, since=first[-1].checkpoint)) == ["1"]
        assert "$filter=modifiedon ge 2024-05-01T09:55:00Z" in fake.targets()[-1]


def test_it_reads_everything_each_time_where_nothing_tells_changes() -> None:
    entity = make_account(tracked=False, versions=False)
    bare = Entity(
        name="account",
        primary_id="accountid",
        set_name="accounts",
        attributes=entity.attributes[:2],
    )
    with connected({"GET accounts": [make_page(make_row(1, 0))]}) as (_, connector):
        first = read(connector, bare)
        assert ids_of(read(connector, bare, since=first[-1].checkpoint)) == ["1"]


def test_it_pages_through_fetchxml_with_the_cookie() -> None:
    entity = make_account(tracked=False)
    cookie = (
        '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e'
        '%253c%252fcookie%253e" istracking="False" />'
    )
    crm = "@Microsoft.Dynamics.CRM."
    more = {f"{crm}fetchxmlpagingcookie": cookie, f"{crm}morerecords": True}
    answers = [
        LOW,
        told({**more, "value": [make_row(1, 5)]}),
        told({"value": [make_row(2, 6)], f"{crm}morerecords": False}),
    ]
    named = Condition("name", Operator.LIKE, ("a&b%",))
    query = Query(entity="account", filter=Group(Logic.AND, (named,)))
    with connected({"GET accounts": answers}) as (fake, connector):
        pages = read(connector, entity, query=query)
        first, second = fake.targets()[1:]
        prefer = str(fake.asked[1].headers["prefer"])
    assert ids_of(pages) == ["1", "2"]
    assert 'value="a&amp;b%"' in first
    assert 'page="2"' in second
    assert 'paging-cookie="&lt;cookie page=&quot;1&quot;&gt;&lt;/cookie&gt;"' in second
    assert "fetchxmlpagingcookie" in prefer
    assert "morerecords" in prefer


def test_it_takes_a_delta_link_before_it_reads_through_a_filter() -> None:
    """Change tracking takes no filter, and reading through one gives no delta link."""
    entity = make_account()
    query = Query(entity="account")
    with connected({}) as (fake, connector):
        link = f"{fake.url}/api/data/v9.2/accounts?$select=accountid&$"
        fake.on(
            "GET accounts",
            make_page({"accountid": ID.format(1)}, nextLink=f"{link}skiptoken=2"),
            make_page({"accountid": ID.format(2)}, deltaLink=f"{link}deltatoken=7"),
            make_page(make_row(2, 6)),
            make_page(make_row(1, 7), deltaLink=f"{link}deltatoken=8"),
            make_page(make_row(1, 7)),
        )
        first = read(connector, entity, query=query)
        second = read(connector, entity, query=query, since=first[-1].checkpoint)
        targets = fake.targets()
    assert [len(page.rows) for page in first] == [0, 0, 1]
    assert ids_of(second) == ["1"]
    assert second[-1].rows[0][1] == "account 1"
    assert "fetchXml=" in targets[2]
    assert 'operator="in"' in targets[4]


def make_long_filter(length: int) -> Query:
    long = Condition("name", Operator.EQ, ("x" * length,))
    return Query(entity="account", filter=Group(Logic.AND, (long,)))


def in_batch(*answers: Answer) -> Answer:
    """The answers as those of a batch, numbered."""
    lines: list[bytes] = []
    for number, answer in enumerate(answers, 1):
        lines += [
            b"--reply",
            b"Content-Type: application/http",
            f"Content-ID: {number}".encode(),
            b"",
            f"HTTP/1.1 {answer.status} Said".encode(),
            b"Content-Type: application/json",
            b"",
            answer.body,
        ]
    body = b"\r\n".join([*lines, b"--reply--", b""])
    return Answer(200, body, {"Content-Type": "multipart/mixed; boundary=reply"})


def test_a_filter_too_long_for_an_address_goes_inside_a_batch() -> None:
    answers = {
        "GET accounts": [LOW],
        "POST $batch": [in_batch(make_page(make_row(1, 5)))],
    }
    with connected(answers) as (fake, connector):
        pages = read(connector, make_account(tracked=False), query=make_long_filter(33_000))
        (sent,) = (request for request in fake.asked if request.method == "POST")
    assert ids_of(pages) == ["1"]
    assert b"GET http" in sent.body
    assert b"x" * 33_000 in sent.body


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed("0x80040216", status=503), Retryable),
        (failed("0x80060888", "Could not find a property named 'x'."), MetadataChanged),
    ],
)
def test_an_error_inside_a_batch_is_the_error(answer: Answer, error: type[Exception]) -> None:
    answers = {"GET accounts": [LOW], "POST $batch": [in_batch(answer)]}
    with connected(answers) as (_, connector), pytest.raises(error):
        read(connector, make_account(tracked=False), query=make_long_filter(33_000))


def test_a_filter_too_long_even_for_a_batch_is_refused() -> None:
    with (
        connected({"GET accounts": [LOW]}) as (_, connector),
        pytest.raises(Refused, match="filter of 'account' is too long"),
    ):
        read(connector, make_account(tracked=False), query=make_long_filter(65_000))


def test_many_ids_are_asked_for_in_one_request() -> None:
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(700)]
    inside = [make_page({"accountid": ids[at]}) for at in (0, 300, 699)]
    with connected({"POST $batch": [in_batch(*inside)]}) as (fake, connector):
        found = connector.matching(make_account(), Query(entity="account"), ids)
        assert len(fake.asked) == 1
    assert found == {ids[0], ids[300], ids[699]}


def test_what_a_batch_could_not_answer_is_asked_again() -> None:
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(400)]
    first, second = make_page({"accountid": ids[0]}), make_page({"accountid": ids[399]})
    answers = {
        "POST $batch": [in_batch(first, failed("0x80072322", status=429))],
        "GET accounts": [second],
    }
    with connected(answers) as (_, connector):
        found = connector.matching(make_account(), Query(entity="account"), ids)
    assert found == {ids[0], ids[399]}


def test_a_server_without_batches_is_asked_one_by_one() -> None:
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(400)]
    answers = {
        "POST $batch": [Answer(404)],
        "GET accounts": [make_page({"accountid": ids[0]}), make_page({"accountid": ids[399]})],
    }
    with connected(answers) as (_, connector):
        found = connector.matching(make_account(), Query(entity="account"), ids)
    assert found == {ids[0], ids[399]}


def test_it_does_not_page_without_a_cookie_beyond_what_the_server_allows() -> None:
    more = told({"@Microsoft.Dynamics.CRM.morerecords": True, "value": [make_row(1, 5)]})
    with (
        connected({"GET accounts": [LOW, more]}) as (fake, connector),
        pytest.raises(Refused, match="no paging cookie for the filter of 'account'"),
    ):
        read(connector, make_account(tracked=False), query=Query(entity="account"))
    assert len(fake.asked) == 11


def test_it_counts_beyond_what_count_says() -> None:
    capped = Answer(200, b"\xef\xbb\xbf5000")
    rows = make_page(*({"accountid": ID.format(at)} for at in range(7)))
    with connected({"GET accounts/$count": [capped], "GET accounts": [rows]}) as (_, connector):
        assert connector.count(make_account()) == 7
