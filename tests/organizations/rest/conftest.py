"""One organization with a member and an administrator per module; records are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from organizations.catalog import delete_organization
from organizations.models import Organization
from tests.organizations.rest.office import Rest, make_office


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        organization = make_office()
    yield organization
    with django_db_blocker.unblock():
        delete_organization(organization)


@pytest.fixture
def rest(office: Organization, db: None) -> Rest:
    return Rest(office)
