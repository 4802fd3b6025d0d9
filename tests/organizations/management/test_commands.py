"""The commands that make organizations: what they print, and how they refuse."""

from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from organizations.models import Application, Member, Organization

pytestmark = pytest.mark.django_db
PASSWORD = "Correct-horse-9"


def password_file(folder: Path, text: str = f"{PASSWORD}\nsecond line\n") -> str:
    path = folder / "password"
    path.write_text(text, "utf-8")
    return str(path)


def run(command: str, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def login(folder: Path, **changes: str) -> list[str]:
    options = {"user": "ann@example.com", "password-file": password_file(folder)} | changes
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def test_it_makes_an_organization_and_its_administrator(tmp_path: Path) -> None:
    out, _ = run("organization", "field", *login(tmp_path), "--language", "1031")
    member = Member.objects.get(organization__name="field")
    assert member.is_administrator
    assert member.check_password(PASSWORD)
    assert member.organization.language == 1031
    assert "Organization 'field'" in out
    assert PASSWORD not in out


def test_it_prints_an_organization_as_json(tmp_path: Path) -> None:
    out, _ = run("organization", "field", *login(tmp_path), "--json")
    organization = Organization.objects.get()
    assert orjson.loads(out) == {
        "id": str(organization.pk),
        "name": "field",
        "user": "ann@example.com",
        "template": "",
    }


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("Field", {}, "lower-case letters"),
        ("admin", {}, "'admin' is reserved"),
        ("field", {"user": "ann"}, "'ann' is not an e-mail address"),
        ("field", {"password-file": "/nowhere/at/all"}, "--password-file: '/nowhere/at/all'"),
    ],
)
def test_it_makes_no_organization_of_wrong_input(
    tmp_path: Path, name: str, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run("organization", name, *login(tmp_path, **changes))
    assert not Organization.objects.exists()


def test_it_refuses_an_empty_password(tmp_path: Path) -> None:
    arguments = login(tmp_path)
    password_file(tmp_path, "\nsecond")
    with pytest.raises(CommandError, match="first line of .* is empty"):
        run("organization", "field", *arguments)


def test_it_reads_the_password_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\r\n"))
    run("organization", "field", *login(tmp_path, **{"password-file": "-"}))
    assert Member.objects.get().check_password(PASSWORD)


def test_it_makes_a_twin_and_tells_how_to_reach_it(tmp_path: Path) -> None:
    base = ["--base-url", "https://crm.example.com/"]
    out, _ = run("twin", "contoso", *login(tmp_path), "--records", "30", "--json", *base)
    document: dict[str, Any] = orjson.loads(out)
    assert document["url"] == "https://crm.example.com/dynamics/contoso/"
    assert document["records"]["account"] == 8
    application = Application.objects.get(pk=document["client_id"])
    assert application.check_secret(document["secret"])


def test_it_tells_of_a_twin_in_words_with_progress_beside(tmp_path: Path) -> None:
    out, err = run("twin", "contoso", *login(tmp_path), "--records", "30")
    assert "Twin 'contoso' has " in out
    assert "Secret, shown this once: " in out
    assert "account: 8" in err


def test_it_makes_no_twin_of_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="must be 0 or more, not -3"):
        run("twin", "contoso", *login(tmp_path), "--records=-3")
    assert not Organization.objects.exists()
