"""The sync filter of one entity, as FetchXML."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.http import QueryDict
from lxml import etree

from connections import filters
from connections.metadata.agreed import schema_of
from connections.models import SyncedEntity
from connections.naming.choosing import names_of
from organizations.errors import InvalidRequest, NotFound
from organizations.query import markup
from organizations.schema import Entity


@dataclass(frozen=True, slots=True)
class FilterAttribute:
    """What a filter can name: the server's logical name, display name and type."""

    name: str
    label: str
    type: str


class FilterForm(forms.Form):
    """FetchXML checked against the metadata the client took over; empty = all records."""

    filter_xml = forms.CharField(
        label="FetchXML",
        required=False,
        max_length=filters.MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "rs-code"}),
    )

    def __init__(
        self, data: QueryDict | None, *, entity: SyncedEntity, text: str | None = None
    ) -> None:
        """`entity` is the row whose filter is edited, `text` what to begin with if not that."""
        self.entity = entity
        shown = entity.filter_xml if text is None else text
        super().__init__(data, initial={"filter_xml": _indented(shown)})

    def clean_filter_xml(self) -> str:
        """Return the filter as we write it, or say what is wrong with it."""
        text = self.cleaned_data["filter_xml"].strip()
        try:
            connection = self.entity.connection
            names = names_of(connection)
            return filters.checked(text, self.entity.name, schema_of(connection), names)
        except InvalidRequest as error:
            raise forms.ValidationError(str(error)) from error

    def attributes(self) -> list[FilterAttribute]:
        """Return the attributes that a filter can name, as the server names them."""
        found = self._metadata()
        if found is None:
            return []
        names = names_of(self.entity.connection).inverse
        listed = (
            FilterAttribute(
                names.attribute(found.name, item.name),
                item.label.text(fallback=item.name),
                item.type.value,
            )
            for item in found.attributes
            if item.is_stored and not item.is_hidden
        )
        return sorted(listed, key=lambda item: item.label.casefold())

    def save(self) -> None:
        """Keep the filter; the next run reads the entity in full because of it."""
        self.entity.filter_xml = self.cleaned_data["filter_xml"]
        self.entity.save(update_fields=["filter_xml"])

    def _metadata(self) -> Entity | None:
        try:
            return schema_of(self.entity.connection)(self.entity.name)
        except NotFound:
            return None


def _indented(text: str) -> str:
    """Return a filter with one element a line; as it is if it cannot be read."""
    if not text:
        return ""
    try:
        root = markup.parse(text, "fetch")
    except InvalidRequest:
        return text
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
