"""Version stamps of metadata: `74812162!10/09/2022 22:10:22`, a schema version and a time.

A stamp expires after the organization's `metadata_stamp_days`, and at once when it is of a
later version than the organization's: then this is a restored copy (dataverse.md 2.4).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from organizations.dynamics.errors import EXPIRED, bad_request
from organizations.dynamics.metadata_query import INVALID_ARGUMENT
from organizations.models import Organization

_STAMP = re.compile(r"(\d{1,18})!(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2})\Z")
_TIME = "%m/%d/%Y %H:%M:%S"


def stamp(version: int) -> str:
    """Return the stamp of a schema version, as of now."""
    return f"{version}!{datetime.now(UTC).strftime(_TIME)}"


def version_of(text: str, organization: Organization, version: int) -> int:
    """Return the schema version of a stamp; `version` is the current one.

    Raises WebApiError 400: `0x80044352` for an expired stamp, `0x80040203` for another text.
    """
    found = _STAMP.match(text)
    if found is None:
        raise bad_request(
            f"ClientVersionStamp '{text[:80]}' is not a version stamp of this service.",
            INVALID_ARGUMENT,
        )
    try:
        issued = datetime.strptime(found[2], _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise bad_request(
            f"ClientVersionStamp '{text}' holds no time.", INVALID_ARGUMENT
        ) from error
    oldest = datetime.now(UTC) - timedelta(days=organization.metadata_stamp_days)
    if issued < oldest or int(found[1]) > version:
        raise bad_request(
            "Version stamp associated with the client has expired. Please perform a full sync.",
            EXPIRED,
        )
    return int(found[1])
