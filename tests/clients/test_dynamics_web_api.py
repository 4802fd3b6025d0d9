"""npm dynamics-web-api, unchanged; its tests are JavaScript and run in Node.js."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Twin

HERE = Path(__file__).with_name("javascript")
NODE = shutil.which("node")


@pytest.mark.skipif(
    not (HERE / "node_modules").exists() and not os.environ.get("CI"),
    reason="needs Node.js and `npm ci` in tests/clients/javascript; `make test` does it",
)
@pytest.mark.timeout(120)
def test_dynamics_web_api(twin: Twin) -> None:
    assert NODE is not None, "Node.js is not installed."
    environment = {**os.environ, "TWIN_URL": f"{twin.url}/", "TWIN_TOKEN": twin.token()}
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", "dynamics_web_api.test.cjs"],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
