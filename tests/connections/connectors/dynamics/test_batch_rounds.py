"""Portions of many writes travel side by side; what comes of them stays in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Barrier
from typing import cast

import pytest
from requests.structures import CaseInsensitiveDict

from connections.connectors.dynamics import batch_rounds
from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.batch_rounds import Done, Rounds, Steps
from connections.connectors.dynamics.client import DynamicsClient
from connections.egress import Reply

_SECONDS = 30
_NUMBER = re.compile(rb"DELETE \S+accounts\((\d+)\)")


class TogetherOnly:
    """A server that answers a batch only when it has as many as `at_once`."""

    root = "http://127.0.0.1/api/data/v9.2/"

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.met = Barrier(at_once)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes, idempotent: bool
    ) -> Reply:
        self.met.wait(_SECONDS)
        parts = "".join(
            "--answer\r\nContent-Type: application/http\r\n\r\n"
            f"HTTP/1.1 204 No Content\r\nNumber: {number.decode()}\r\n\r\n\r\n"
            for number in _NUMBER.findall(body)
        )
        kind = CaseInsensitiveDict({"Content-Type": "multipart/mixed; boundary=answer"})
        return Reply(200, kind, f"{parts}--answer--\r\n".encode(), self.root)


def make_write(number: int) -> Steps[Done]:
    reply = yield Part("DELETE", f"accounts({number})")
    return reply.headers["Number"], reply.status


def test_it_sends_as_many_portions_at_once_as_the_server_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_rounds, "OPERATIONS", 2)
    client = cast(DynamicsClient, TogetherOnly(at_once=3))
    outcomes = Rounds(client, [make_write(number) for number in range(6)]).run()
    assert outcomes == [(str(number), 204) for number in range(6)]
