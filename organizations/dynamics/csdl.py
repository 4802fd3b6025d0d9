"""`GET $metadata`: the organization as a CSDL 4.0 document (dataverse.md 2.5).

It is written entity by entity and kept, compressed, until the schema version moves.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from uuid import UUID

from django.http import HttpResponse
from lxml import etree

from organizations.catalog import Catalog
from organizations.dynamics.call import Call
from organizations.dynamics.csdl_container import container, operations
from organizations.dynamics.csdl_entities import base_types, entity_type
from organizations.dynamics.csdl_index import OWNER, Index
from organizations.dynamics.csdl_vocabulary import metadata_types
from organizations.dynamics.csdl_xml import ALIAS, EDM, EDMX, NAMESPACE, PLAIN
from organizations.models import Organization
from organizations.schema import Entity

NAME = "$metadata"
CONTENT_TYPE = "application/xml"
KEPT = 4
"""Documents kept in memory, each a few hundred kilobytes when compressed."""

_VOCABULARIES = {
    "OData.Community.Keys.V1": "http://vocabularies.odata.org/OData.Community.Keys.V1",
    "OData.Community.Display.V1": "http://vocabularies.odata.org/OData.Community.Display.V1",
}
_HERE = b"<!--here-->"
_SAID = f' xmlns="{EDM}"'.encode()
_MORE = {
    "Org.OData.Core.V1": "http://vocabularies.odata.org/OData.Core.V1",
    "Org.OData.Capabilities.V1": "http://vocabularies.odata.org/OData.Capabilities.V1",
}


def document(call: Call) -> HttpResponse:
    """Answer with the whole document; `?annotations=true` adds what columns are for."""
    annotated = call.options.get("annotations", "").lower() == "true"
    organization = call.organization
    kept = _kept(organization.pk, call.catalog.version, annotated=annotated)
    return HttpResponse(zlib.decompress(kept), content_type=CONTENT_TYPE)


@lru_cache(maxsize=KEPT)
def _kept(organization_id: UUID, version: int, *, annotated: bool) -> bytes:
    # `version` only tells one kept document from the next.
    organization = Organization.objects.get(pk=organization_id)
    buffer = BytesIO()
    write(Catalog(organization), buffer, annotated=annotated)
    return zlib.compress(buffer.getbuffer())


def write(catalog: Catalog, buffer: BytesIO, *, annotated: bool = False) -> None:
    """Write the document of a catalog's entities that are not hidden."""
    index = Index(_shown(catalog))
    references = _VOCABULARIES | (_MORE if annotated else {})
    before, after = _frame(references).split(_HERE)
    buffer.write(before)
    for item in _schema(catalog, index, annotated=annotated):
        # The frame has said it, and readers that know no namespaces look for plain names.
        buffer.write(etree.tostring(item, encoding="utf-8").replace(_SAID, b"", 1))
    buffer.write(after)


def _frame(references: Mapping[str, str]) -> bytes:
    root = etree.Element(f"{{{EDMX}}}Edmx", Version="4.0", nsmap={"edmx": EDMX})
    for name, address in references.items():
        found = etree.SubElement(root, f"{{{EDMX}}}Reference", Uri=address)
        etree.SubElement(found, f"{{{EDMX}}}Include", Namespace=name, Alias=name.split(".")[-2])
        etree.SubElement(found, f"{{{EDMX}}}IncludeAnnotations", TermNamespace=name)
    services = etree.SubElement(root, f"{{{EDMX}}}DataServices")
    schema = etree.SubElement(services, f"{{{EDM}}}Schema", nsmap=PLAIN)
    schema.attrib.update({"Namespace": NAMESPACE, "Alias": ALIAS})
    schema.append(etree.Comment("here"))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _schema(catalog: Catalog, index: Index, *, annotated: bool) -> Iterator[etree._Element]:
    yield from base_types(index)
    for entity in _shown(catalog):
        if entity.name in index and entity.name != OWNER:
            yield entity_type(entity, index, annotated=annotated)
    yield from metadata_types()
    served = [entity for entity in catalog.names() if catalog.enabled(entity)]
    known = [name for name in served if name != OWNER]
    yield from operations(known)
    yield container(known, index, annotated=annotated)


def _shown(catalog: Catalog) -> Iterator[Entity]:
    return (entity for entity in catalog.entities() if not entity.is_hidden)
