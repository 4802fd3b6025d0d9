"""Where the services live, and what is said to root before anything is changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from resco_sync.services.layout import LONGEST_SOCKET_PATH, Layout, ServicesError, find_layout
from resco_sync.services.postgres import SYSTEM_USER, Postgres


def make_layout(var: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Make the layout of a data folder."""
    var.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("RESCO_SYNC_VAR", str(var))
    return find_layout()


def make_short() -> Path:
    """Return a path so short that its sockets fit."""
    return Path("/tmp/resco-sync-layout")


def test_it_keeps_sockets_beside_the_data_where_their_paths_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESCO_SYNC_VAR", str(make_short()))
    assert find_layout().sockets == make_short().resolve() / "run"


@pytest.mark.parametrize("name", ["x" * 90, "My Projects", "100 %"])
def test_it_gives_sockets_a_short_private_folder_where_they_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = make_layout(tmp_path / name, monkeypatch)
    assert place.sockets.parent == Path("/tmp")
    assert place == find_layout()
    assert place.sockets != make_layout(tmp_path / "other" / name, monkeypatch).sockets
    assert len(os.fsencode(place.valkey_socket)) < LONGEST_SOCKET_PATH


def test_it_makes_folders_for_its_owner(tmp_path: Path) -> None:
    place = Layout(tmp_path / "var", tmp_path / "run")
    place.make()
    assert stat.S_IMODE(place.sockets.stat().st_mode) & 0o066 == 0
    place.make()


@pytest.mark.parametrize("trap", ["writable", "link"])
def test_it_refuses_a_socket_folder_that_others_could_have_made(tmp_path: Path, trap: str) -> None:
    place = Layout(tmp_path / "var", tmp_path / "run")
    if trap == "link":
        place.sockets.symlink_to(tmp_path)
    else:
        place.sockets.mkdir()
        place.sockets.chmod(0o777)
    with pytest.raises(ServicesError) as caught:
        place.make()
    assert str(caught.value) == (
        f"{place.sockets} must be a folder of user {os.geteuid()} that nobody else may write. "
        "Remove it, or set RESCO_SYNC_VAR to another folder."
    )


def test_it_tells_root_what_will_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwall", list)
    notices = Postgres(Layout(shut / "var", shut / "run")).notices()
    assert notices[0] == "PostgreSQL does not run as root, so, since you are root:"
    assert f"Folder {shut} becomes readable for everyone (chmod go+rx)." in notices
    assert f"The system user {SYSTEM_USER} is made (useradd)." in notices
    assert notices[-1] == "Run as an ordinary user, or set DATABASE_URL, to avoid this."


def test_it_tells_nothing_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert Postgres(Layout(tmp_path, tmp_path)).notices() == []
