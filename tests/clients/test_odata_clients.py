"""npm @odata/client and npm odata (o.js), unchanged; their tests run in Node.js."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.clients.cloud import Cloud
from tests.clients.test_dynamics_web_api import HERE, NODE


@pytest.mark.skipif(
    not (HERE / "node_modules").exists() and not os.environ.get("CI"),
    reason="needs Node.js and `npm ci` in tests/clients/javascript; `make test` does it",
)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("file", ["odata_client.test.cjs", "o_js.test.cjs"])
def test_an_odata_client(cloud: Cloud, file: str) -> None:
    assert NODE is not None, "Node.js is not installed."
    user, password = cloud.login
    environment = {
        **os.environ,
        "CLOUD_URL": cloud.odata,
        "CLOUD_USER": user,
        "CLOUD_PASSWORD": password,
    }
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", file],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
