"""Functions, actions and the entity container of the CSDL document: what can be called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from organizations.dynamics.csdl_index import Index
from organizations.dynamics.csdl_xml import ALIAS, NAMESPACE, element

_S, _I, _B = "Edm.String", "Edm.Int32", "Edm.Boolean"
Parameters = Mapping[str, str]
FUNCTIONS: Mapping[str, Parameters] = {
    "WhoAmI": {},
    "RetrieveVersion": {},
    "RetrieveAvailableLanguages": {},
    "RetrieveProvisionedLanguages": {},
    "RetrieveInstalledLanguagePacks": {},
    "RetrieveTotalRecordCount": {"EntityNames": f"Collection({_S})"},
    "RetrieveMetadataChanges": {
        "Query": f"{ALIAS}.EntityQueryExpression",
        "DeletedMetadataFilters": f"{ALIAS}.DeletedMetadataFilters",
        "ClientVersionStamp": _S,
    },
}
"""Unbound functions by name; each returns `…Response`."""

_OPTION = {
    "OptionSetName": _S,
    "AttributeLogicalName": _S,
    "EntityLogicalName": _S,
    "Value": _I,
    "Label": f"{ALIAS}.Label",
    "Description": f"{ALIAS}.Label",
    "SolutionUniqueName": _S,
}
ACTIONS: Mapping[str, tuple[Parameters, str]] = {
    "PublishXml": ({"ParameterXml": _S}, ""),
    "PublishAllXml": ({}, ""),
    "InsertOptionValue": (_OPTION, f"{ALIAS}.InsertOptionValueResponse"),
    "InsertStatusValue": (_OPTION | {"StateCode": _I}, f"{ALIAS}.InsertOptionValueResponse"),
    "UpdateOptionValue": (_OPTION | {"MergeLabels": _B}, ""),
    "DeleteOptionValue": (
        {name: kind for name, kind in _OPTION.items() if "Label" not in kind},
        "",
    ),
    "CreateEntities": (
        {"Entities": f"Collection({ALIAS}.ComplexEntityMetadata)", "SolutionUniqueName": _S},
        f"{ALIAS}.CreateEntitiesResponse",
    ),
}
_REQUIRED = frozenset({"Query", "EntityNames", "Value", "ParameterXml", "Entities", "MergeLabels"})
_BULK = {
    "CreateMultiple": f"{ALIAS}.CreateMultipleResponse",
    "UpdateMultiple": "",
    "UpsertMultiple": "",
}
_DEFINITIONS = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadataBase",
}


def operations(entities: Sequence[str]) -> Iterator[etree._Element]:
    """Yield functions and actions; bulk actions are bound to the set of each entity."""
    for name, parameters in FUNCTIONS.items():
        found = element("Function", Name=name)
        _parameters(found, parameters)
        found.append(element("ReturnType", Type=f"{ALIAS}.{name}Response", Nullable="false"))
        yield found
    for name, (parameters, answer) in ACTIONS.items():
        yield _action(name, parameters, answer)
    for entity in entities:
        for name, answer in _BULK.items():
            kind = f"Collection({ALIAS}.{entity})"
            found = _action(name, {"entityset": kind, "Targets": kind}, answer)
            found.set("IsBound", "true")
            yield found


def _action(name: str, parameters: Parameters, answer: str) -> etree._Element:
    found = element("Action", Name=name)
    _parameters(found, parameters)
    if answer:
        found.append(element("ReturnType", Type=answer, Nullable="false"))
    return found


def _parameters(parent: etree._Element, parameters: Parameters) -> None:
    for name, kind in parameters.items():
        found = element("Parameter", Name=name, Type=kind)
        if name in _REQUIRED or kind.startswith("Collection"):
            found.set("Nullable", "false")
        if kind == _S:
            found.set("Unicode", "false")
        parent.append(found)


def container(entities: Sequence[str], index: Index, *, annotated: bool) -> etree._Element:
    """Return the container with the sets of these entities and of metadata, and all imports."""
    found = element("EntityContainer", Name="System")
    for name in entities:
        if index.set_of(name):
            found.append(_set(name, frozenset(entities), index, annotated=annotated))
    for name, kind in _DEFINITIONS.items():
        found.append(element("EntitySet", Name=name, EntityType=f"{NAMESPACE}.{kind}"))
    for name in FUNCTIONS:
        found.append(element("FunctionImport", Name=name, Function=f"{NAMESPACE}.{name}"))
    for name in ACTIONS:
        found.append(element("ActionImport", Name=name, Action=f"{NAMESPACE}.{name}"))
    return found


def _set(name: str, entities: frozenset[str], index: Index, *, annotated: bool) -> etree._Element:
    known = index.known(name)
    found = element("EntitySet", Name=known.set_name, EntityType=f"{NAMESPACE}.{name}")
    for link in index.links(name).values():
        target = index.set_of(link.type) if link.type in entities else ""
        if target:
            found.append(element("NavigationPropertyBinding", Path=link.name, Target=target))
    if annotated:
        found.append(_tracking(known.tracks_changes))
    return found


def _tracking(supported: bool) -> etree._Element:
    found = element("Annotation", Term="Org.OData.Capabilities.V1.ChangeTracking")
    record = element("Record")
    value = str(supported).lower()
    record.append(element("PropertyValue", Property="Supported", Bool=value))
    found.append(record)
    return found
