"""Elements of a CSDL document (OData 4.0) in their namespaces."""

from __future__ import annotations

from typing import Any

from lxml import etree

EDM = "http://docs.oasis-open.org/odata/ns/edm"
EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
NAMESPACE = "Microsoft.Dynamics.CRM"
ALIAS = "mscrm"
PLAIN: Any = {None: EDM}
"""Names of the schema language stand without a prefix."""


def element(tag: str, /, **attributes: str) -> etree._Element:
    """Return an element of the schema language."""
    found = etree.Element(f"{{{EDM}}}{tag}", nsmap=PLAIN)
    for name, value in attributes.items():
        found.set(name, value)
    return found


def annotation(term: str, /, **value: str) -> etree._Element:
    """Return an annotation with one value, given as an attribute such as `String`."""
    return element("Annotation", Term=term, **value)


def permissions(value: str) -> etree._Element:
    """Return the annotation that says what a client may do with a property."""
    found = element("Annotation", Term="Org.OData.Core.V1.Permissions")
    member = element("EnumMember")
    member.text = f"Org.OData.Core.V1.PermissionType/{value}"
    found.append(member)
    return found
