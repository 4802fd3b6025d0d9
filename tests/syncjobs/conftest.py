"""What tests of runs share: calls that reach nobody, and no organization left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from tests.syncjobs.making import drop_organizations


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made


@pytest.fixture
def no_organizations_left(transactional_db: None) -> Iterator[None]:
    """Drop the schemas of organizations, which emptying the tables leaves."""
    yield
    drop_organizations()
