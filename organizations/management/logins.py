"""What commands that make a login share: its arguments and its password."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

STANDARD_INPUT = "-"


def add_login(parser: ArgumentParser) -> None:
    """Declare --user, --password-file and --json."""
    parser.add_argument("--user", required=True, metavar="EMAIL", help="who may sign in")
    parser.add_argument(
        "--password-file",
        required=True,
        metavar="F",
        help="file whose first line is the password; - reads standard input",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def read_password(path: str) -> str:
    """Return the first line of a file, or of standard input. Raises CommandError."""
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--password-file: '{path}' cannot be read: {error}.") from error
    password = text.partition("\n")[0].rstrip("\r")
    if not password:
        raise CommandError(f"--password-file: the first line of '{path}' is empty.")
    return password
