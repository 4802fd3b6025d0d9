"""One organization per module; every test's records are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from organizations.catalog import delete_organization
from organizations.models import Organization
from tests.organizations.odata.reader import OData
from tests.organizations.rest.office import make_office


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        organization = make_office("odata-office")
    yield organization
    with django_db_blocker.unblock():
        delete_organization(organization)


@pytest.fixture
def odata(office: Organization, db: None) -> OData:
    return OData(office)
