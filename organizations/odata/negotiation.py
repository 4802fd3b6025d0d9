"""What a request says about versions and formats, and what of it this service can do.

Accept and OData-MaxVersion are honoured or the request fails (OData part 1, 8.2.1 and 8.2.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from organizations.odata.errors import ODataError

JSON, XML, PLAIN = "application/json", "application/xml", "text/plain"
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\s*;.*)?\Z")
_METADATA = ("odata.metadata", "metadata")
_LEVELS = frozenset({"minimal", "none", "full"})
_TEXT_NUMBERS = "ieee754compatible"


@dataclass(frozen=True, slots=True)
class Form:
    """The JSON that is wanted: with how much control information, and large numbers as text."""

    level: str = "minimal"
    as_text: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether control information is left out."""
        return self.level == "none"

    @property
    def is_full(self) -> bool:
        """Whether everything is told that the metadata would tell."""
        return self.level == "full"

    @property
    def content_type(self) -> str:
        """The Content-Type of an answer in this form."""
        numbers = "; IEEE754Compatible=true" if self.as_text else ""
        return f"{JSON}; odata.metadata={self.level}; odata.streaming=true{numbers}; charset=utf-8"


PLAIN_JSON = Form()


@dataclass(frozen=True, slots=True)
class _Range:
    """One entry of an Accept header; parameters in lower case."""

    kind: str
    parameters: dict[str, str]
    quality: float

    def covers(self, kind: str) -> bool:
        """Return whether a media type fits."""
        return self.kind in ("*/*", kind, f"{kind.partition('/')[0]}/*")


def check_versions(version: str, most: str) -> None:
    """Raise ODataError for an OData-Version that is not served, or a lower OData-MaxVersion."""
    if version and _numbers(version, "OData-Version") not in ((4, 0), (4, 1)):
        raise ODataError(
            f"OData-Version is 4.0 here, not '{version[:40]}'.", target="OData-Version"
        )
    if most and _numbers(most, "OData-MaxVersion") < (4, 0):
        raise ODataError(
            f"This service speaks OData 4.0, and OData-MaxVersion '{most[:40]}' is below it.",
            target="OData-MaxVersion",
        )


def _numbers(text: str, header: str) -> tuple[int, int]:
    found = _VERSION.match(text.strip())
    if found is None:
        raise ODataError(f"{header} is a version such as 4.0, not '{text[:40]}'.", target=header)
    return int(found[1]), int(found[2])


def form_of(accept: str, wanted: str | None) -> Form:
    """Return the JSON of an Accept header, or of `$format`, which overrides it.

    Raises ODataError 406, and 415 for a `$format` that is not JSON.
    """
    if wanted is not None:
        return _form_of_option(wanted)
    if not accept.strip():
        return PLAIN_JSON
    for one in _ranges(accept):
        form = _form(one)
        if form is not None:
            return form
    raise _not_acceptable(accept, f"{JSON} with odata.metadata=minimal, full or none")


def check_plain(accept: str, wanted: str | None, kind: str) -> None:
    """Raise ODataError 406 or 415 unless an answer of that media type is acceptable."""
    if wanted is not None:
        _check_option(wanted, kind)
    elif accept.strip() and not any(one.covers(kind) for one in _ranges(accept)):
        raise _not_acceptable(accept, kind)


def _check_option(wanted: str, kind: str) -> None:
    short = {"xml": XML, "json": JSON}
    asked = short.get(wanted.strip().lower(), wanted.partition(";")[0].strip().lower())
    # A client that adds $format=json to every address still gets the one form there is.
    if asked not in (kind, JSON):
        raise _no_format(wanted, kind)


def _form_of_option(wanted: str) -> Form:
    text = re.sub(r"\Ajson\b", JSON, wanted.strip(), flags=re.IGNORECASE)
    forms = [_form(one) for one in _ranges(text) if one.kind == JSON]
    if not forms or forms[0] is None:
        raise _no_format(wanted, "json")
    return forms[0]


def _no_format(wanted: str, kind: str) -> ODataError:
    return ODataError(
        f"$format is {kind}, not '{wanted[:40]}'.", status=415, code="Format", target="$format"
    )


def _not_acceptable(accept: str, kind: str) -> ODataError:
    return ODataError(
        f"The answer is {kind}, which Accept '{accept[:80]}' does not allow.",
        status=406,
        code="NotAcceptable",
        target="Accept",
    )


def _form(one: _Range) -> Form | None:
    """Return the form of a range; None for one that this service cannot write."""
    if not one.covers(JSON) or "odata" in one.parameters:
        return None
    level = next((one.parameters[name] for name in _METADATA if name in one.parameters), "minimal")
    if level not in _LEVELS:
        return None
    return Form(level, one.parameters.get(_TEXT_NUMBERS) == "true")


def _ranges(accept: str) -> list[_Range]:
    """Return the ranges of a header, the best liked first; those of quality 0 are left out."""
    found = (one for one in _read(accept[:2000]) if one.quality > 0)
    return sorted(found, key=lambda one: -one.quality)


def _read(accept: str) -> Iterator[_Range]:
    for part in accept.split(","):
        kind, *rest = (item.strip().lower() for item in part.split(";"))
        pairs = (item.partition("=") for item in rest if item)
        parameters = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
        yield _Range(kind, parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
