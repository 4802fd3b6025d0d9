"""An organization to browse, and an administrator's browser."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from organizations.models import Organization
from tests.organizations.admin.making import make_organization


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization()


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client
