"""What worlds on the database stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from syncjobs.chaos.real.doors import Door, inside


@pytest.fixture
def door(transactional_db: None, settings: Settings) -> Iterator[Door]:
    """The twin's services, asked within this process."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with inside() as made:
        yield made
