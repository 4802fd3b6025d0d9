"""Making a twin: all of it, or nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from organizations.catalog import Catalog
from organizations.errors import AlreadyExists, InvalidRequest
from organizations.models import Application, Member, Organization
from organizations.query.nodes import Query
from organizations.samples import twins
from organizations.samples.twins import Twin, make_twin
from organizations.store import Store

pytestmark = pytest.mark.django_db
PASSWORD = "Correct-horse-9"


def make(name: str = "rehearsal", **changes: Any) -> Twin:
    arguments: dict[str, Any] = {
        "records": 40,
        "seed": 5,
        "email": "admin@example.com",
        "password": PASSWORD,
    }
    return make_twin(name, **(arguments | changes))


def ids(twin: Twin) -> list[list[str]]:
    return list(Store(twin.organization).ids(Query(entity="contact")))


def test_it_makes_metadata_records_a_person_and_an_application() -> None:
    twin = make()
    assert twin.organization.kind == Organization.Kind.DYNAMICS_TWIN
    assert twin.organization.languages == [1033, 1031, 1051]
    assert twin.path == "/dynamics/rehearsal/"
    catalog = Catalog(twin.organization)
    assert all(catalog.enabled(name) for name in catalog.names())
    assert Member.objects.get(organization=twin.organization).check_password(PASSWORD)
    application = Application.objects.get(pk=twin.client_id)
    assert application.check_secret(twin.secret)
    assert twin.secret not in repr(twin)


def test_it_makes_the_same_records_in_two_twins_of_one_seed() -> None:
    assert ids(make("one")) == ids(make("two"))
    assert ids(make("three", seed=6)) != ids(make("four"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample": "fabrikam"}, "There is no sample 'fabrikam'. Known: contoso."),
        ({"records": -1}, "must be 0 or more, not -1"),
        ({"email": "nobody"}, "'nobody' is not an e-mail address"),
        ({"password": "12345678"}, "too common"),
    ],
)
def test_it_refuses_before_anything_is_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        make(**changes)
    assert not Organization.objects.exists()


def test_it_refuses_a_name_that_is_taken() -> None:
    make()
    with pytest.raises(AlreadyExists, match="rehearsal exists already"):
        make()
    assert Organization.objects.count() == 1


def test_it_leaves_nothing_behind_when_loading_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> dict[str, int]:
        raise InvalidRequest("The disk is full.", "rows")

    failing: Callable[..., dict[str, int]] = fail
    monkeypatch.setattr(twins, "generate", failing)
    with pytest.raises(InvalidRequest, match="The disk is full"):
        make()
    assert not Organization.objects.exists()
