"""Reading bodies: size, depth, entities, DTD, network."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import RequestFactory

from syncjobs.doors import body
from syncjobs.doors.fault import Fault


def refused(raw: bytes) -> Fault:
    with pytest.raises(Fault) as caught:
        body.parse_xml(raw)
    return caught.value


def test_it_reads_elements_without_comments() -> None:
    root = body.parse_xml(b"<a><!-- no --><?no no?><b>x</b></a>")
    assert [child.tag for child in root] == ["b"]


@pytest.mark.parametrize("raw", [b"", b"<a>", b"<a></b>", b"\xff\xfe", b"{}", b"<a>\x00</a>"])
def test_it_refuses_what_is_not_well_formed(raw: bytes) -> None:
    fault = refused(raw)
    assert (fault.status, fault.code) == (400, "MalformedXml")
    assert "not well-formed" in str(fault)


@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    ],
)
def test_it_refuses_a_document_type(raw: bytes) -> None:
    fault = refused(raw)
    assert (fault.code, fault.detail) == ("DtdNotAccepted", "DOCTYPE")


def test_it_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    raw = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'
    assert "hidden" not in str(refused(raw.encode()))


def test_it_refuses_entities_that_multiply() -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
    raw = f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><a b="&e11;">&e11;</a>'
    assert refused(raw.encode()).status == 400


def test_it_refuses_what_is_nested_too_deep() -> None:
    deep = body.MAX_DEPTH + 1
    fault = refused(b"<b>" * deep + b"</b>" * deep)
    assert (fault.code, fault.detail) == ("NestedTooDeep", "b")
    body.parse_xml(b"<b>" * body.MAX_DEPTH + b"</b>" * body.MAX_DEPTH)


def test_it_refuses_more_than_one_mebibyte() -> None:
    request = RequestFactory().post("/", b"x" * (5 * 1024 * 1024), content_type="text/xml")
    with pytest.raises(Fault, match="longer than 1 MiB") as caught:
        body.read(request)
    assert caught.value.status == 413


def test_it_reads_exactly_one_mebibyte() -> None:
    raw = b"x" * body.MAX_BYTES
    assert body.read(RequestFactory().post("/", raw, content_type="text/xml")) == raw


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'"x"', b"[" * 100_000])
def test_it_refuses_what_is_no_json_object(raw: bytes) -> None:
    with pytest.raises(Fault) as caught:
        body.parse_json(raw)
    assert caught.value.code == "MalformedJson"
