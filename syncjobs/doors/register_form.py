"""The form of the page Connect New Organization: fields and labels of the original's page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password

from connections import registry
from connections.connect import admission
from connections.connect.request import ConnectRequest, from_document
from organizations.models.organization import validate_name

_PROVIDERS = {
    "organization": "ClientOrganization",
    "email": "Email",
    "type": "ProviderID",
    "url": "Url",
    "username": "UserName",
    "password": "Authorization",
    "backend_password": "Password",
    "key": "RegistrationInfo",
}
ELEMENTS = {element: name for name, element in _PROVIDERS.items()}
"""Which field an element of the request is typed into, so that a fault is shown beside it."""


def _text(label: str, length: int, *, required: bool = False, auto: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": auto or "off"})
    return forms.CharField(label=label, max_length=length, required=required, widget=widget)


def _secret(label: str, auto: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": auto})
    return forms.CharField(label=label, max_length=1000, strip=False, widget=widget)


class RegisterForm(forms.Form):
    """Login Info, Detail Info, Backend Login."""

    organization = _text("Organization", 40, required=True)
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = _secret("Password", "new-password")
    confirm_password = _secret("Confirm password", "new-password")
    first_name = _text("First name", 64, auto="given-name")
    last_name = _text("Last name", 64, auto="family-name")
    company = _text("Company", 160, auto="organization")
    job_title = _text("Job title", 100, auto="organization-title")
    phone = _text("Phone", 50, auto="tel")
    country = _text("Country", 80, auto="country-name")
    type = forms.ChoiceField(label="Type")
    url = _text("URL", 500, required=True)
    username = _text("Username", 254, required=True)
    backend_password = _secret("Password", "off")
    key = _text("Registration key", 200)
    consent = forms.BooleanField(
        label="I consent to the storing of my name and e-mail address by this installation",
        error_messages={"required": "Please consent to the storing of your name and e-mail."},
    )

    LOGIN = ("organization", "email", "password", "confirm_password")
    DETAIL = ("first_name", "last_name", "company", "job_title", "phone", "country")
    BACKEND = ("type", "url", "username", "backend_password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the back ends that have a provider; ask for a key where one is needed."""
        super().__init__(*args, **kwargs)
        self.fields["type"] = forms.ChoiceField(label="Type", choices=registry.choices())
        self.fields["organization"].validators.append(validate_name)
        self.fields["password"].validators.append(validate_password)
        if settings.RESCO_SYNC_REGISTRATION == admission.INVITE:
            self.fields["key"].required = True
        else:
            del self.fields["key"]
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"{name}-error"

    def clean(self) -> dict[str, Any]:
        """Compare the passwords."""
        data = super().clean() or self.cleaned_data
        if data.get("password") and data.get("password") != data.get("confirm_password"):
            self.add_error("confirm_password", "The two passwords are not the same.")
        return data

    def request(self) -> ConnectRequest:
        """Return what is asked for. Raises InvalidRequest."""
        data = self.cleaned_data
        return from_document(
            {
                "SyncSetup": {
                    "ProviderID": data["type"],
                    "Url": data["url"],
                    "UserName": data["username"],
                    "Password": data["backend_password"],
                    "RegistrationInfo": {
                        "Email": data["email"],
                        "FirstName": data["first_name"],
                        "LastName": data["last_name"],
                        "Company": data["company"],
                        "JobTitle": data["job_title"],
                        "Phone": data["phone"],
                        "Country": data["country"],
                        "RegistrationKey": data.get("key", ""),
                    },
                }
            }
        )

    def add_fault(self, element: str, message: str) -> None:
        """Show a fault beside the field it is about, or above the form."""
        name = ELEMENTS.get(element)
        self.add_error(name if name in self.fields else None, message)
