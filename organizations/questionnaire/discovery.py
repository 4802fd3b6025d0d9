"""What there is: the service document, `$metadata` and JSON schemas (resco.md §3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpResponse

from organizations.odata import edmx
from organizations.odata.call import answer, text
from organizations.odata.discovery import schema_of
from organizations.odata.errors import not_served
from organizations.odata.negotiation import XML, check_plain
from organizations.odata.wishes import check_options
from organizations.questionnaire.call import QuestionnaireCall
from organizations.questionnaire.naming import Unique
from organizations.questionnaire.templates import Answered, shape

_KINDS = ("EntitySet", "QuestionnaireSet")


def service_document(call: QuestionnaireCall) -> HttpResponse:
    """Answer with the list of sets; `$kind=QuestionnaireSet` asks for the same (assumed)."""
    check_options(call, frozenset({"$kind", "$format"}), "the service document")
    kind = call.options.get("$kind", _KINDS[0])
    if kind not in _KINDS:
        raise not_served(f"$kind={kind[:40]}")
    listed = [
        {"kind": kind, "title": one.title, "name": one.name, "url": one.name} for one in call.sets
    ]
    return answer({"@odata.context": f"{call.root}$metadata", "value": listed}, form=call.form)


def metadata(call: QuestionnaireCall) -> HttpResponse:
    """Answer with the EDMX of all sets."""
    check_options(call, frozenset({"$format"}), "$metadata")
    check_plain(call.header("Accept"), call.options.get("$format"), XML)
    return text("".join(edmx.document(_shapes(call))), XML)


def _shapes(call: QuestionnaireCall) -> Iterator[Answered]:
    """Yield the shapes of all sets; no repeated group is called like a set or another one."""
    unique = Unique(one.name for one in call.sets)
    for one in call.sets:
        found = shape(call.store, one)
        for part in found.parts.values():
            part.entity = replace(part.entity, name=unique.name(part.entity.name))
        yield found


def schema(call: QuestionnaireCall, name: str) -> HttpResponse:
    """Answer with the JSON schema of a set's records, repeated groups included."""
    check_options(call, frozenset({"$format"}), "a schema")
    _, known = call.set(name)
    told = _told(known, call.organization.language)
    for part, rows in known.repeated.items():
        told["properties"][part] = {
            "type": "array",
            "items": _told(rows, call.organization.language),
        }
    return answer(told)


def _told(known: Answered, language: int) -> dict[str, Any]:
    return schema_of(known, list(known.properties.values()), language)
