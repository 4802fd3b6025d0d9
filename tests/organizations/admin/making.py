"""Functions that make organizations and records to browse."""

from organizations.catalog import create_organization, define, enable
from organizations.models import Organization
from organizations.records import RecordValue, Reference
from organizations.samples import contoso
from organizations.store import Store

DEFINED = ("account", "contact", "appointment", "competitor", "lead", "leadcompetitors")
ENABLED = ("account", "contact", "appointment")


def make_organization(name: str = "field") -> Organization:
    organization = create_organization(name, languages=contoso.LANGUAGES)
    define(organization, [item for item in contoso.entities() if item.name in DEFINED])
    enable(organization, ENABLED)
    return organization


def make_account(organization: Organization, name: str, **values: RecordValue) -> str:
    return Store(organization).create("account", {"name": name, **values}).id


def make_contact(organization: Organization, name: str, company: Reference | None = None) -> str:
    values = {"lastname": name, "parentcustomerid": company}
    return Store(organization).create("contact", values).id
