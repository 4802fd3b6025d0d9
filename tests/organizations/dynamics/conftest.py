"""One twin per module; every test's records are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from organizations.catalog import delete_organization
from organizations.models import Organization
from tests.organizations.dynamics.library import Api, make_twin


@pytest.fixture(scope="module")
def library(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    """Make the twin once: its tables cost a second."""
    with django_db_blocker.unblock():
        twin = make_twin()
    yield twin
    with django_db_blocker.unblock():
        delete_organization(twin)


@pytest.fixture
def api(library: Organization, db: None) -> Api:
    return Api(library)
