"""Where the real metadata outside the repository are found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_DEFAULT = Path(__file__).resolve().parents[4] / "shared" / "data"


def definition(name: str) -> dict[str, Any]:
    """Return a real entity definition.

    Where there is none the test is skipped and says so; under CI it fails.
    """
    folder = Path(os.environ.get("RESCO_SYNC_TEST_DATA") or _DEFAULT)
    file = folder / "dataverse" / "entitydefinitions" / f"{name}.json"
    if not file.exists():
        message = f"{file} is not there; set RESCO_SYNC_TEST_DATA to the folder of test data"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document
