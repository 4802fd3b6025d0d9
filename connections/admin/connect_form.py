"""The dialog Resco CRM Sync Connection Setup: the client's login and the server's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from connections import registry
from connections.admin.signing_in import SignedInHere
from connections.connect import clients
from connections.connect.clients import NewClient, RemoteLogin, Wished
from connections.connect.request import ConnectRequest, from_document, server_url
from connections.connectors.authority import normal
from connections.connectors.certificate import LONGEST, Certificate, InvalidCertificate
from connections.logins import LoginKind, is_guid
from connections.models import Connection, Endpoint
from organizations.errors import InvalidRequest
from organizations.models.organization import validate_name

FIELDS = {
    "ClientOrganization": "client",
    "ClientUrl": "client_url",
    "ClientPassword": "client_password",
    "ProviderID": "provider",
    "Url": "url",
    "UserName": "user_name",
    "Password": "password",
    "Authority": "authority",
}
"""Which field an element of the request is typed into."""


def known(connection: Connection) -> dict[str, str]:
    """Return what the form begins with for a connection that is to be connected again."""
    server = connection.server
    providers = {name: key for key, name in registry.provider_ids().items()}
    return {
        "client": connection.name,
        "client_url": connection.client.url,
        "provider": providers.get(server.backend, ""),
        "url": server.url,
        "login": server.login_kind,
        "user_name": "" if server.login_kind == LoginKind.MICROSOFT else server.user_name,
        "authority": server.authority,
    }


class ConnectForm(forms.Form):
    """Resco CRM Login (client) above, the server's login below.

    An administrator of this installation need not sign in to a client that is hosted here; for a
    new one, e-mail and password are those its first administrator will have. With a Url the client
    is hosted elsewhere, and they are a login there. The server's login is
    of one of three kinds, each with fields of its own.
    """

    client = forms.CharField(
        label="Organization",
        max_length=40,
        help_text="An organization hosted here, or the name of a new one.",
        widget=forms.TextInput(attrs={"list": "clients", "autocomplete": "off"}),
    )
    client_url = forms.CharField(
        label="Url",
        max_length=500,
        required=False,
        help_text="Only for a Resco Cloud organization hosted elsewhere, such as "
        "https://host.example.com/organization; its name above is then yours to choose.",
    )
    email = forms.EmailField(
        label="Username (email)",
        required=False,
        help_text="For a new organization, or one hosted elsewhere.",
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
    login = forms.ChoiceField(label="Login", choices=LoginKind.choices, required=False)
    user_name = forms.CharField(
        label="Username",
        max_length=254,
        required=False,
        help_text="A client id (GUID) means an application user with its secret.",
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    certificate = forms.CharField(
        label="Certificate and private key",
        max_length=LONGEST,
        required=False,
        help_text="PEM text of both, the key without a pass phrase.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
    )
    certificate_file = forms.FileField(label="Or a PEM file with both", required=False)
    authority = forms.CharField(
        label="Authority",
        max_length=500,
        required=False,
        help_text="Where logins are sent; empty: where the server says. Only if you are asked.",
    )

    CLIENT = ("client", "client_url", "email", "client_password", "confirm_password")
    SERVER = ("provider", "url", "login", "user_name", "password", "certificate", "authority")

    def __init__(self, *args: Any, signed_in: SignedInHere | None = None, **kwargs: Any) -> None:
        """Offer the back ends that have a ProviderID and a connector; `signed_in`: who did."""
        super().__init__(*args, **kwargs)
        self.signed_in = signed_in
        self.fields["provider"] = forms.ChoiceField(label="Type", choices=registry.choices())

    def clean(self) -> dict[str, Any]:
        """Demand what a new client needs, and nothing more for one that exists."""
        data = super().clean() or self.cleaned_data
        name = data.get("client", "")
        if name:
            self._clean_client(name, data)
        data["login"] = kind = LoginKind(data.get("login") or LoginKind.SECRET)
        self._LOGINS[kind](self, data)
        if kind != LoginKind.SECRET and self._backend() not in ("", Endpoint.Backend.DYNAMICS):
            self.add_error("login", "This type of server takes user name and password only.")
        return data

    def _clean_secret(self, data: dict[str, Any]) -> None:
        for name in ("user_name", "password"):
            self._demand(name, data.get(name))
        if LoginKind.of(data.get("password") or "") == LoginKind.CERTIFICATE:
            self.add_error("password", "This is a certificate. Choose it as the login.")

    def _clean_certificate(self, data: dict[str, Any]) -> None:
        self._demand("user_name", data.get("user_name"))
        if data.get("user_name") and not is_guid(data["user_name"].strip()):
            self.add_error(
                "user_name", "A certificate belongs to an application: enter its client id (GUID)."
            )
        text = self._certificate(data)
        if not text:
            return
        try:
            Certificate.of(text)
        except InvalidCertificate as error:
            self.add_error("certificate", str(error))
        data["password"] = text

    def _certificate(self, data: dict[str, Any]) -> str:
        upload = data.get("certificate_file")
        if upload is None:
            self._demand("certificate", data.get("certificate"))
            return str(data.get("certificate") or "")
        if upload.size > LONGEST:
            self.add_error("certificate_file", f"The file is longer than {LONGEST} bytes.")
            return ""
        return str(upload.read().decode("ascii", "replace"))

    def _clean_microsoft(self, data: dict[str, Any]) -> None:
        who = self.signed_in
        if who is None:
            self.add_error("login", "Nobody has signed in yet. Press Sign in with Microsoft first.")
            return
        try:
            is_same = server_url(data.get("url") or "") == who.url
        except InvalidRequest:
            return
        if not is_same:
            self.add_error("login", f"The sign-in was for {who.url}. Sign in for this Url again.")
        data |= {"user_name": who.user_name or "Signed in", "password": who.refresh_token}
        data["authority"] = who.authority

    _LOGINS: dict[LoginKind, Callable[[ConnectForm, dict[str, Any]], None]] = {
        LoginKind.SECRET: _clean_secret,
        LoginKind.CERTIFICATE: _clean_certificate,
        LoginKind.MICROSOFT: _clean_microsoft,
    }

    def _demand(self, name: str, value: object) -> None:
        if not value and name not in self.errors:
            self.add_error(name, "This field is required.")

    def _backend(self) -> str:
        return registry.provider_ids().get(self.cleaned_data.get("provider", ""), "")

    def _clean_client(self, name: str, data: dict[str, Any]) -> None:
        url = data.get("client_url") or ""
        if url:
            try:
                data["client_url"] = server_url(url, "ClientUrl")
            except InvalidRequest as error:
                self.add_error("client_url", str(error))
        wished = self._wished(data)
        if wished is None:
            self._clean_new(name, data)
        elif isinstance(wished, RemoteLogin):
            self._clean_remote(wished)

    def _clean_remote(self, wished: RemoteLogin) -> None:
        self._try("client", validate_name, wished.name)
        if not wished.user_name:
            self.add_error("email", "Enter the e-mail of a user of that organization.")
        if not wished.password:
            self.add_error("client_password", "Enter the password of that user.")

    def _wished(self, data: dict[str, Any]) -> Wished | None:
        return clients.named(
            data["client"],
            url=data.get("client_url") or "",
            user_name=data.get("email") or "",
            password=data.get("client_password") or "",
        )

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

    def who(self) -> Wished:
        """Return the client to connect."""
        data = self.cleaned_data
        wished = self._wished(data)
        if wished is not None:
            return wished
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
        wanted = from_document({"SyncSetup": setup})
        return replace(wanted, login_kind=data["login"], authority=normal(data["authority"]))

    def add_fault(self, element: str, message: str) -> None:
        """Show a fault beside the field it is about, or above the form."""
        self.add_error(FIELDS.get(element), message)
