"""Folders for embedded services of a test's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resco_sync.services.layout import Layout
from tests.resco_sync.services import programs


@contextmanager
def made_place() -> Iterator[Layout]:
    """Give a data folder with a short path; end and remove everything in it afterwards."""
    var = Path(tempfile.mkdtemp(prefix="resco-sync-life-", dir="/tmp")).resolve()
    layout = Layout(var, var / "run")
    try:
        yield layout
    finally:
        for process in programs.servers(layout):
            process.kill()
        programs.wait_for(lambda: not programs.servers(layout))
        shutil.rmtree(var, ignore_errors=True)
