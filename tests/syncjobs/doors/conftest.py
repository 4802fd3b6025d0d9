"""What the tests of doors share."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to; nobody comes."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made
