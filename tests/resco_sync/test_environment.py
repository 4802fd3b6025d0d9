"""Each wrong value stops the start with a sentence that names the variable."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from resco_sync import environment
from resco_sync.environment import (
    envbool,
    envchoice,
    envemails,
    envint,
    envlist,
    envsecret,
    envsecrets,
    envurl,
    var_dir,
)

LONG = "a-long-random-text"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set variables; those not named are unset."""
    for name in ("FLAG", "FLAG_FILE", "RESCO_SYNC_VAR"):
        monkeypatch.delenv(name, raising=False)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("Yes", True), ("off", False), ("0", False), (" ", True)]
)
def test_it_reads_yes_and_no(given: Callable[..., None], text: str, expected: bool) -> None:
    given(FLAG=text)
    assert envbool("FLAG", True) is expected


def test_it_reads_addresses_and_urls(given: Callable[..., None]) -> None:
    given(FLAG="ops@example.com, boss@example.com")
    assert envemails("FLAG") == ["ops@example.com", "boss@example.com"]
    given(FLAG="https://hooks.example.com/x?key=1")
    assert envurl("FLAG", ("https",)) == "https://hooks.example.com/x?key=1"
    given(FLAG="")
    assert (envemails("FLAG"), envurl("FLAG", ("https",))) == ([], "")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (
            lambda: envbool("FLAG", False),
            "maybe",
            "FLAG is 'maybe'; it must be 1 or 0 (or true, false, yes, no).",
        ),
        (
            lambda: envint("FLAG", 1, low=1, high=9),
            "ten",
            "FLAG is 'ten'; it must be a whole number, 1 to 9.",
        ),
        (
            lambda: envint("FLAG", 1, low=1, high=9),
            "10",
            "FLAG is '10'; it must be a whole number, 1 to 9.",
        ),
        (
            lambda: envchoice("FLAG", "a", ("a", "b")),
            "c",
            "FLAG is 'c'; it must be one of: a, b.",
        ),
        (
            lambda: envlist("FLAG", []),
            "a,,b",
            "FLAG has an empty part; separate its values by single commas.",
        ),
        (
            lambda: envemails("FLAG"),
            "ops@example.com,boss",
            "FLAG has 'boss', which is no e-mail address; separate addresses by commas.",
        ),
        (
            lambda: envurl("FLAG", ("https", "http")),
            "ftp://example.com/secret",
            "FLAG starts with ftp; it must start with one of: https://, http://.",
        ),
        (
            lambda: envurl("FLAG", ("https", "http")),
            "https:///secret",
            "FLAG names no host; it must look like https://host/path.",
        ),
        (
            lambda: envsecrets("FLAG"),
            f"{LONG},short",
            "FLAG has a key of fewer than 16 characters; give long random texts, separated by "
            "commas, the one that seals first.",
        ),
        (
            lambda: envsecrets("FLAG"),
            f"{LONG}, {LONG}",
            "FLAG has the same key twice; give each key once.",
        ),
    ],
)
def test_it_names_the_variable_and_what_is_allowed(
    given: Callable[..., None], read: Callable[[], Any], text: str, message: str
) -> None:
    given(FLAG=text)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert str(caught.value) == message


def test_it_takes_the_default_of_an_unset_list_and_nothing_of_an_empty_one(
    given: Callable[..., None],
) -> None:
    assert envlist("FLAG", ["a"]) == ["a"]
    given(FLAG=" ")
    assert envlist("FLAG", ["a"]) == []
    given(FLAG="b, c")
    assert envlist("FLAG", ["a"]) == ["b", "c"]


def test_it_wants_a_secret_where_none_may_be_made(given: Callable[..., None]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^FLAG is not set\. It is made by itself only"):
        envsecret("FLAG")


def test_it_makes_a_secret_once_and_for_its_owner_only(
    given: Callable[..., None], tmp_path: Path
) -> None:
    keep = tmp_path / "var" / "key"
    first = envsecret("FLAG", keep=keep)
    assert len(first) >= 48
    assert envsecret("FLAG", keep=keep) == first
    assert stat.S_IMODE(keep.stat().st_mode) == 0o600
    assert [path.name for path in keep.parent.iterdir()] == ["key"]


def test_it_prefers_a_given_secret_to_the_kept_one(
    given: Callable[..., None], tmp_path: Path
) -> None:
    given(FLAG=LONG)
    assert envsecret("FLAG", keep=tmp_path / "key") == LONG
    assert not (tmp_path / "key").exists()


def test_it_reads_a_secret_from_a_file(given: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{LONG}\n")
    given(FLAG_FILE=str(tmp_path / "key"))
    assert envsecret("FLAG") == LONG


def test_it_refuses_a_secret_given_twice(given: Callable[..., None], tmp_path: Path) -> None:
    given(FLAG=LONG, FLAG_FILE=str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match=r"FLAG and FLAG_FILE are both set; set one"):
        envsecret("FLAG")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "FLAG_FILE: cannot read '{path}': No such file or directory."),
        (b"", "FLAG_FILE: the file '{path}' is empty."),
        (b"\xff\xfe", "FLAG_FILE: cannot read '{path}': it is not UTF-8 text."),
    ],
)
def test_it_says_why_a_secret_file_is_of_no_use(
    given: Callable[..., None], tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    given(FLAG_FILE=str(path))
    with pytest.raises(ImproperlyConfigured) as caught:
        envsecret("FLAG")
    assert str(caught.value) == message.format(path=path)


def test_it_never_repeats_a_secret(given: Callable[..., None]) -> None:
    given(FLAG="sesame")
    with pytest.raises(ImproperlyConfigured) as caught:
        envsecrets("FLAG")
    assert "sesame" not in str(caught.value)


def test_it_keeps_data_beside_the_program_unless_told(
    given: Callable[..., None], tmp_path: Path
) -> None:
    assert var_dir() == environment.BASE_DIR / "var"
    given(RESCO_SYNC_VAR=str(tmp_path))
    assert var_dir() == tmp_path.resolve()


def test_it_refuses_a_var_that_is_no_folder(given: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    given(RESCO_SYNC_VAR=str(path))
    with pytest.raises(ImproperlyConfigured, match=r"RESCO_SYNC_VAR is '.*', which is no folder\."):
        var_dir()
