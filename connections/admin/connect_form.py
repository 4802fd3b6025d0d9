"""The dialog Resco CRM Sync Connection Setup: the client's login and the server's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from connections import registry
from connections.connect.request import ConnectRequest, from_document
from connections.connect.service import Client, NewClient
from connections.models import Connection
from organizations.models import Organization
from organizations.models.organization import validate_name

FIELDS = {
    "ClientOrganization": "client",
    "ProviderID": "provider",
    "Url": "url",
    "UserName": "user_name",
    "Password": "password",
}
"""Which field an element of the request is typed into."""


def known(connection: Connection) -> dict[str, str]:
    """Return what the form begins with for a connection that is to be connected again."""
    server = connection.server
    providers = {name: key for key, name in registry.provider_ids().items()}
    return {
        "client": connection.name,
        "provider": providers.get(server.backend, ""),
        "url": server.url,
        "user_name": server.user_name,
    }


class ConnectForm(forms.Form):
    """Resco CRM Login (client) above, the server's login below.

    An administrator of this installation need not sign in to a client that is hosted here; for a
    new one, e-mail and password are those its first administrator will have.
    """

    client = forms.CharField(
        label="Organization",
        max_length=40,
        help_text="An organization hosted here, or the name of a new one.",
        widget=forms.TextInput(attrs={"list": "clients", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="Username (email)", required=False, help_text="Only for a new organization."
    )
    client_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    confirm_password = forms.CharField(
        label="Confirm Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    provider = forms.ChoiceField(label="Type")
    url = forms.CharField(label="Url", max_length=500)
    user_name = forms.CharField(
        label="Username",
        max_length=254,
        help_text="A client id (GUID) means an application user with its secret.",
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    CLIENT = ("client", "email", "client_password", "confirm_password")
    SERVER = ("provider", "url", "user_name", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the back ends that have a ProviderID and a connector."""
        super().__init__(*args, **kwargs)
        self.fields["provider"] = forms.ChoiceField(label="Type", choices=registry.choices())

    def clean(self) -> dict[str, Any]:
        """Demand what a new client needs, and nothing more for one that exists."""
        data = super().clean() or self.cleaned_data
        name = data.get("client", "")
        if name and self.organization(name) is None:
            self._clean_new(name, data)
        return data

    def _clean_new(self, name: str, data: dict[str, Any]) -> None:
        self._try("client", validate_name, name)
        if not data.get("email"):
            self.add_error("email", "A new organization needs its administrator's e-mail.")
        if not data.get("client_password"):
            self.add_error("client_password", "A new organization needs a password.")
        else:
            self._try("client_password", validate_password, data["client_password"])
        if data.get("client_password") != data.get("confirm_password"):
            self.add_error("confirm_password", "The two passwords are not the same.")

    def _try(self, field: str, validate: Any, value: str) -> None:
        try:
            validate(value)
        except ValidationError as error:
            self.add_error(field, error)

    def organization(self, name: str) -> Organization | None:
        """Return the client organization hosted here under that name."""
        kind = Organization.Kind.CLIENT
        return Organization.objects.filter(name=name, kind=kind).first()

    def who(self) -> Client:
        """Return the client to connect."""
        data = self.cleaned_data
        existing = self.organization(data["client"])
        if existing is not None:
            return existing
        return NewClient(
            name=data["client"],
            email=data["email"],
            password=data["client_password"],
            person={},
        )

    def request(self) -> ConnectRequest:
        """Return what is asked for. Raises InvalidRequest."""
        data = self.cleaned_data
        setup = {
            "ProviderID": data["provider"],
            "Url": data["url"],
            "UserName": data["user_name"],
            "Password": data["password"],
        }
        return from_document({"SyncSetup": setup})

    def add_fault(self, element: str, message: str) -> None:
        """Show a fault beside the field it is about, or above the form."""
        self.add_error(FIELDS.get(element), message)
