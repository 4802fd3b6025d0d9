"""The Prefer header and resource paths."""

from __future__ import annotations

import pytest

from organizations import preferences
from organizations.dynamics import resource
from organizations.dynamics.errors import WebApiError
from organizations.dynamics.preferences import FORMATTED, LOGICAL_NAME, NAVIGATION
from organizations.dynamics.resource import Segment

KEY = "11111111-1111-4111-8111-11111111111a"


def test_it_reads_several_preferences_and_their_quotes() -> None:
    header = (
        "odata.maxpagesize=500, odata.track-changes,return=representation,"
        f'odata.include-annotations="{FORMATTED},Microsoft.Dynamics.CRM.lookup*"'
    )
    found = preferences.read(header)
    assert found.page_size == 500
    assert found.track_changes
    assert found.representation
    assert [found.wants(name) for name in (FORMATTED, LOGICAL_NAME, NAVIGATION)] == [
        True,
        True,
        False,
    ]
    assert found.applied[0] == "odata.maxpagesize=500"


@pytest.mark.parametrize("header", ["", "odata.maxpagesize=0", "odata.maxpagesize=x", "what=ever"])
def test_it_ignores_what_it_cannot_honour(header: str) -> None:
    assert preferences.read(header) == preferences.Preferences()


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("accounts", [Segment("accounts")]),
        (f"accounts({KEY.upper()})", [Segment("accounts", KEY, called=True)]),
        (f"accounts({{{KEY}}})/name", [Segment("accounts", KEY, called=True), Segment("name")]),
        ("WhoAmI()", [Segment("WhoAmI", called=True)]),
        (
            "accounts(number='a''b/(c)',size=3)/$ref",
            [
                Segment("accounts", None, {"number": "a'b/(c)", "size": "3"}, called=True),
                Segment("$ref"),
            ],
        ),
        ("", []),
    ],
)
def test_it_reads_paths(path: str, segments: list[Segment]) -> None:
    assert resource.parse(path) == segments


@pytest.mark.parametrize("path", ["accounts(", "accounts(x)", "accounts)", "a//b", "('x')"])
def test_it_refuses_malformed_paths(path: str) -> None:
    with pytest.raises(WebApiError, match="Error in query syntax") as raised:
        resource.parse(path)
    assert raised.value.status == 400
