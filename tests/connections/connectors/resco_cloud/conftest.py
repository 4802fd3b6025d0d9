"""The strict server, served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.fakes.server import serve


@pytest.fixture
def place() -> Iterator[StrictRescoPlace]:
    made = StrictRescoPlace()
    with serve(made.service) as url:
        made.url = url
        yield made
