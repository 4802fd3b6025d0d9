"""The Prefer header: what a client would like, and what of it was honoured."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PAGE = 5000
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_ITEM = re.compile(r'\s*([\w.-]+)\s*(?:=\s*("(?:[^"]*)"|[^,;\s]*))?\s*(?:;[^,]*)?(?:,|\Z)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Preferences of one request.

    `page_size` is None unless asked for, and never above `most`. `annotations` are the patterns
    of annotation names wanted. `continues` lets a batch go on after an error. `applied` is what
    Preference-Applied has to say.
    """

    page_size: int | None = None
    most: int = MAX_PAGE
    annotations: tuple[str, ...] = ()
    track_changes: bool = False
    representation: bool = False
    continues: bool = False
    applied: tuple[str, ...] = field(default_factory=tuple)

    def wants(self, annotation: str) -> bool:
        """Return whether an annotation of that full name is wanted."""
        return any(_matches(pattern, annotation) for pattern in self.annotations)


NONE = Preferences()


def _matches(pattern: str, annotation: str) -> bool:
    if pattern.endswith("*"):
        return annotation.startswith(pattern[:-1])
    return pattern == annotation


def read(header: str, most: int = MAX_PAGE) -> Preferences:
    """Return the preferences of a Prefer header; unknown ones are ignored, as HTTP demands.

    `most` is how many records a page of this organization can hold.
    """
    given = {name: value.strip('"') for name, value in _ITEM.findall(header) if name}
    size = given.get("odata.maxpagesize", "")
    page_size = min(int(size), most) if size.isdecimal() and int(size) > 0 else None
    annotations = given.get("odata.include-annotations", "")
    applied = []
    if page_size is not None:
        applied.append(f"odata.maxpagesize={page_size}")
    if "odata.track-changes" in given:
        applied.append("odata.track-changes")
    if annotations:
        applied.append(f'odata.include-annotations="{annotations}"')
    if given.get("return") in ("representation", "minimal"):
        applied.append(f"return={given['return']}")
    continues = given.get("odata.continue-on-error", "false").lower() in ("", "true")
    if continues:
        applied.append("odata.continue-on-error")
    return Preferences(
        page_size=page_size,
        most=most,
        annotations=tuple(item.strip() for item in annotations.split(",") if item.strip()),
        track_changes="odata.track-changes" in given,
        representation=given.get("return") == "representation",
        continues=continues,
        applied=tuple(applied),
    )
