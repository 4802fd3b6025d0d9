"""The Prefer header of OData: what a client would like, and what of it is honoured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_PAGE = 5000
_ITEM = re.compile(r'\s*([\w.-]+)\s*(?:=\s*("(?:[^"]*)"|[^,;\s]*))?\s*(?:;[^,]*)?(?:,|\Z)')
_PREFIX = "odata."


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Preferences of one request.

    `page_size` is None unless asked for, and never above `most`. `annotations` are the patterns
    of annotation names wanted. `continues` lets a batch go on after an error, None = not said.
    `applied` is what Preference-Applied has to say.
    """

    page_size: int | None = None
    most: int = MAX_PAGE
    annotations: tuple[str, ...] = ()
    track_changes: bool = False
    representation: bool = False
    minimal: bool = False
    goes_on: bool | None = None
    applied: tuple[str, ...] = field(default_factory=tuple)

    @property
    def continues(self) -> bool:
        """Whether a batch is asked to go on after an error."""
        return self.goes_on is True

    def wants(self, annotation: str) -> bool:
        """Return whether an annotation of that full name is wanted; `-pattern` says it is not."""
        refused = (item[1:] for item in self.annotations if item.startswith("-"))
        if any(pattern != "*" and _matches(pattern, annotation) for pattern in refused):
            return False
        return any(_matches(pattern, annotation) for pattern in self.annotations)


NONE = Preferences()


def _matches(pattern: str, annotation: str) -> bool:
    if pattern.endswith("*"):
        return annotation.startswith(pattern[:-1])
    return pattern == annotation


def read(header: str, most: int = MAX_PAGE, *, bare: bool = False) -> Preferences:
    """Return the preferences of a Prefer header; unknown ones are ignored, as HTTP demands.

    `most` is how many records a page can hold. With `bare` names count without `odata.` too.
    """
    given = {name: value.strip('"') for name, value in _ITEM.findall(header) if name}
    if bare:
        given = {f"{_PREFIX}{name}": value for name, value in given.items()} | given
    size = given.get("odata.maxpagesize", "")
    page_size = min(int(size[:9]), most) if size.isdecimal() and int(size[:9]) > 0 else None
    annotations = given.get("odata.include-annotations", "")
    return Preferences(
        page_size=page_size,
        most=most,
        annotations=tuple(item.strip() for item in annotations.split(",") if item.strip()),
        track_changes="odata.track-changes" in given,
        representation=given.get("return") == "representation",
        minimal=given.get("return") == "minimal",
        goes_on=_goes_on(given.get("odata.continue-on-error")),
        applied=tuple(_applied(given, page_size)),
    )


def _goes_on(text: str | None) -> bool | None:
    return None if text is None else text.lower() in ("", "true")


def _applied(given: Mapping[str, str], page_size: int | None) -> Iterator[str]:
    if page_size is not None:
        yield f"odata.maxpagesize={page_size}"
    if "odata.track-changes" in given:
        yield "odata.track-changes"
    if annotations := given.get("odata.include-annotations", ""):
        yield f'odata.include-annotations="{annotations}"'
    if given.get("return") in ("representation", "minimal"):
        yield f"return={given['return']}"
    if _goes_on(given.get("odata.continue-on-error")):
        yield "odata.continue-on-error"
