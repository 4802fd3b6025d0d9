"""The sync filter of one entity, as FetchXML."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from connections import filters
from connections.models import SyncedEntity
from organizations.catalog import Catalog
from organizations.errors import InvalidRequest


class FilterForm(forms.Form):
    """FetchXML checked against the metadata the client took over; empty = all records."""

    filter_xml = forms.CharField(
        label="FetchXML",
        required=False,
        max_length=filters.MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "rs-code"}),
    )

    def __init__(self, data: QueryDict | None, *, entity: SyncedEntity) -> None:
        """`entity` is the row whose filter is edited."""
        self.entity = entity
        super().__init__(data, initial={"filter_xml": entity.filter_xml})

    def clean_filter_xml(self) -> str:
        """Return the filter as we write it, or say what is wrong with it."""
        text = self.cleaned_data["filter_xml"].strip()
        organization = self.entity.connection.client.organization
        if organization is None:
            raise forms.ValidationError("The client is not hosted here; set the filter there.")
        try:
            return filters.checked(text, self.entity.name, Catalog(organization).entity)
        except InvalidRequest as error:
            raise forms.ValidationError(str(error)) from error

    def save(self) -> None:
        """Keep the filter; the next run reads the entity in full because of it."""
        self.entity.filter_xml = self.cleaned_data["filter_xml"]
        self.entity.save(update_fields=["filter_xml"])
