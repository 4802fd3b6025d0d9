"""Unbound functions and the answers about the service itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from organizations.dynamics import users
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import (
    WebApiError,
    bad_request,
    unknown_property,
    unknown_record,
)
from organizations.dynamics.resource import Segment
from organizations.models import EntityDefinition

VERSION = "9.2.25063.00178"
_PREFIX = "$metadata#Microsoft.Dynamics.CRM."


def who_am_i(call: Call) -> Mapping[str, Any]:
    """Answer who the caller is, in which business unit, of which organization."""
    return {
        "BusinessUnitId": users.business_unit(call.store, str(call.principal.id)),
        "UserId": str(call.principal.id),
        "OrganizationId": str(call.organization.pk),
    }


def retrieve_version(call: Call) -> Mapping[str, Any]:
    """Answer which version of Dataverse this twin behaves like."""
    return {"Version": VERSION}


def languages(call: Call) -> Mapping[str, Any]:
    """Answer with the LCIDs of the organization's languages."""
    return {"LocaleIds": sorted(call.organization.languages or [call.organization.language])}


_ENTITY_NAMES = re.compile(r"\(\s*EntityNames\s*=\s*(.*?)\s*\)\Z")


def _wrong_names() -> WebApiError:
    return bad_request("EntityNames must be given as a JSON array of names, or as @p1 with one.")


def total_record_count(call: Call) -> Mapping[str, Any]:
    """Answer how many records entities have: `EntityNames`, a JSON array, may be an alias."""
    found = _ENTITY_NAMES.search(call.path)
    given = found[1] if found else "@p1"
    try:
        names = orjson.loads(call.aliases.get(given, given))
    except orjson.JSONDecodeError as error:
        raise _wrong_names() from error
    if not isinstance(names, list):
        raise _wrong_names()
    counts = [call.store.count_records(name) for name in names]
    return {
        "EntityRecordCountCollection": {
            "Count": len(names),
            "IsReadOnly": False,
            "Keys": names,
            "Values": counts,
        }
    }


FUNCTIONS: Mapping[str, Callable[[Call], Mapping[str, Any]]] = {
    "WhoAmI": who_am_i,
    "RetrieveTotalRecordCount": total_record_count,
    "RetrieveVersion": retrieve_version,
    "RetrieveAvailableLanguages": languages,
    "RetrieveProvisionedLanguages": languages,
    "RetrieveInstalledLanguagePacks": languages,
}


def call_function(call: Call, name: str) -> HttpResponse:
    """Answer a function of `FUNCTIONS`."""
    response = answer(
        {"@odata.context": f"{call.api}{_PREFIX}{name}Response", **FUNCTIONS[name](call)}
    )
    if name == "WhoAmI":
        response["x-ms-dop-hint"] = "4"
    return response


def service_document(call: Call) -> HttpResponse:
    """Answer with the names of all entity sets that have records."""
    rows = EntityDefinition.objects.filter(
        organization=call.organization, has_table=True, is_hidden=False
    )
    names = [*rows.exclude(set_name="").values_list("set_name", flat=True)]
    found = [
        {"name": name, "kind": "EntitySet", "url": name} for name in sorted({*names, ORGANIZATIONS})
    ]
    return answer({"@odata.context": f"{call.api}$metadata", "value": found})


ORGANIZATIONS = "organizations"


def organizations(call: Call, segment: Segment) -> HttpResponse:
    """Answer the set that holds the organization itself, in the properties that connectors ask."""
    organization = call.organization
    key = str(organization.pk)
    if segment.key not in (None, key):
        raise unknown_record("organization", str(segment.key))
    known = {
        "organizationid": key,
        "name": organization.name,
        "languagecode": organization.language,
        "_basecurrencyid_value": None,
        "expirechangetrackingindays": organization.change_tracking_days,
        "expiresubscriptionsindays": organization.change_tracking_days,
        "schemanameprefix": "new",
    }
    names = [item.strip() for item in call.options.get("$select", "").split(",") if item.strip()]
    for name in names:
        if name not in known:
            raise unknown_property(name, "organization")
    shown = {name: known[name] for name in (*names, "organizationid")} if names else known
    document = {"@odata.etag": f'W/"{organization.row_version}"', **shown}
    if segment.key is not None:
        return answer({"@odata.context": f"{call.api}$metadata#organizations/$entity", **document})
    return answer({"@odata.context": f"{call.api}$metadata#organizations", "value": [document]})
