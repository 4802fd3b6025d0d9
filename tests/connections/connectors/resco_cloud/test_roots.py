"""Addresses of the services."""

from __future__ import annotations

import pytest

from connections.connectors.resco_cloud.roots import roots
from connections.errors import Unreachable


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("https://host.example/org", "https://host.example/rest/v1/data/org"),
        ("https://host.example/org/", "https://host.example/rest/v1/data/org"),
        (" host.example/org ", "https://host.example/rest/v1/data/org"),
        ("https://org.host.example", "https://org.host.example/rest/v1/data"),
        ("https://org.host.example/", "https://org.host.example/rest/v1/data"),
        ("https://org.host.example/org", "https://org.host.example/rest/v1/data/org"),
        ("https://host.example:8443/org", "https://host.example:8443/rest/v1/data/org"),
        ("https://host.example/crm/org", "https://host.example/crm/rest/v1/data/org"),
        ("https://host.example/rest/v1/data/org", "https://host.example/rest/v1/data/org"),
        ("https://host.example/odata/v4/org/", "https://host.example/rest/v1/data/org"),
        ("https://org.host.example/rest/v1/data", "https://org.host.example/rest/v1/data"),
    ],
)
def test_it_finds_the_services(url: str, data: str) -> None:
    found = roots(url)
    assert found.data == data
    assert found.metadata == data.replace("/data", "/metadata")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://host.example/org?x=1", "without '\\?' and '#'"),
        ("https://host.example/org#x", "without '\\?' and '#'"),
        ("ftp://host.example/org", "not an address"),
        ("https://anna:secret@host.example/org", "out of the address"),
    ],
)
def test_it_refuses_what_is_no_address(url: str, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        roots(url)
