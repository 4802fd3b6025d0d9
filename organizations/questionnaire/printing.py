"""Records of a set as JSON objects, by the printing of the OData service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from organizations.odata.call import Call
from organizations.odata.names import property_name
from organizations.odata.rows import ETAG, FORMATTED, Document, RowPrinter
from organizations.questionnaire.answers import Answer
from organizations.questionnaire.templates import Answered
from organizations.records import Row
from organizations.schema import Attribute

UNREADABLE = "RescoCloud.Text"
"""Annotation of an answer that is no value of its question's type: the text (assumed)."""


class Printer:
    """Writes records with these attributes and these repeated groups."""

    def __init__(
        self, call: Call, shape: Answered, attributes: Sequence[Attribute], parts: Sequence[str]
    ) -> None:
        """Prepare a printer for the records, and one for each group."""
        self._call, self._shape = call, shape
        self._names = {property_name(item): item.name for item in attributes}
        self._records = self._printer(shape, attributes, call.root if call.form.is_full else "")
        self._parts = {
            name: self._printer(shape.repeated[name], shape.repeated[name].entity.attributes)
            for name in parts
        }

    def _printer(
        self, shape: Answered, attributes: Sequence[Attribute], root: str = ""
    ) -> RowPrinter:
        call = self._call
        return RowPrinter(
            shape,
            attributes,
            call.organization.language,
            is_annotated=call.is_annotated,
            as_text=call.form.as_text,
            root=root,
        )

    def write(self, answers: Sequence[Answer]) -> list[Document]:
        """Return one object per record."""
        rows = [_row(self._records, item) for item in answers]
        written = self._records.write(self._call.store, rows)
        return [
            self._whole(item, document) for item, document in zip(answers, written, strict=True)
        ]

    def _whole(self, item: Answer, document: Document) -> Document:
        document |= {
            key: text for key, text in self._told(item) if key.partition("@")[0] in document
        }
        for name, printer in self._parts.items():
            document[name] = [self._part(printer, one) for one in item.parts.get(name, ())]
        return document

    def _part(self, printer: RowPrinter, item: Answer) -> Document:
        (document,) = printer.write(self._call.store, [_row(printer, item)])
        del document[ETAG]
        return document | dict(self._told(item))

    def _told(self, item: Answer) -> Iterator[tuple[str, str]]:
        for name, text in item.unreadable.items():
            yield f"{name}@{UNREADABLE}", text
        if self._call.is_annotated:
            for name, text in item.labels.items():
                yield f"{name}@{FORMATTED}", text


def _row(printer: RowPrinter, item: Answer) -> Row:
    known: dict[str, Any] = item.values
    return (*(known.get(name) for name in printer.columns), item.version)
