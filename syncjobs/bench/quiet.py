"""A server for benches that says nothing."""

from __future__ import annotations

from wsgiref.simple_server import WSGIRequestHandler


class Quiet(WSGIRequestHandler):
    """Handles requests without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
