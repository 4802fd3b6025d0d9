"""Reads a CSDL 4.0 document as a strict client does: every name must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
_PRIMITIVE = frozenset(
    f"Edm.{name}"
    for name in (
        *("Binary", "Boolean", "Date", "DateTimeOffset", "Decimal", "Double"),
        *("Guid", "Int32", "Int64", "String"),
    )
)


class Schema:
    """The only schema of a document, with its types by name."""

    def __init__(self, content: bytes) -> None:
        root = etree.fromstring(content)
        assert root.tag == f"{EDMX}Edmx"
        assert root.get("Version") == "4.0"
        (self.schema,) = root.findall(f"{EDMX}DataServices/{EDM}Schema")
        self.references = [item.get("Uri") for item in root.findall(f"{EDMX}Reference")]
        names = ("EntityType", "ComplexType", "EnumType")
        listed = [item for name in names for item in self.schema.findall(f"{EDM}{name}")]
        self.types = {str(item.get("Name")): item for item in listed}
        self.twice = [str(i.get("Name")) for i in listed if self.types[str(i.get("Name"))] is not i]
        (self.container,) = self.schema.findall(f"{EDM}EntityContainer")

    def type(self, name: str) -> Any:
        """Return a declared type."""
        return self.types[name]

    def members(self, name: str) -> dict[str, Any]:
        """Return properties and navigations of a type and of its bases, by name."""
        item = self.types[name]
        base = item.get("BaseType")
        found = self.members(base.rpartition(".")[2]) if base else {}
        return found | {str(i.get("Name")): i for i in item if i.get("Name")}

    def problems(self) -> Iterator[str]:
        """Yield everything a strict reader would refuse."""
        yield from (f"type {name} twice" for name in self.twice)
        for name, item in self.types.items():
            base = item.get("BaseType")
            if base is not None and base.rpartition(".")[2] not in self.types:
                yield f"{name}: base {base}"
            yield from self._of_members(name, item)
        for used in self.schema.iter():
            kind = used.get("Type") if used.tag != f"{EDM}Record" else None
            if kind is not None and not self._is_known(kind):
                yield f"{used.get('Name')}: type {kind}"
        yield from self._of_sets()

    def _is_known(self, kind: str) -> bool:
        plain = kind.removeprefix("Collection(").removesuffix(")")
        prefix, _, name = plain.rpartition(".")
        return plain in _PRIMITIVE or (prefix == "mscrm" and name in self.types)

    def _of_members(self, name: str, item: Any) -> Iterator[str]:
        own = [str(i.get("Name")) for i in item if i.get("Name")]
        base = item.get("BaseType")
        inherited = self.members(base.rpartition(".")[2]) if base else {}
        for member in own:
            if own.count(member) > 1 or member in inherited:
                yield f"{name}.{member} twice"
        everything = self.members(name)
        for key in item.findall(f"{EDM}Key/{EDM}PropertyRef"):
            if key.get("Name") not in everything:
                yield f"{name}: key {key.get('Name')}"
        for link in item.findall(f"{EDM}NavigationProperty"):
            yield from self._of_link(name, link, everything)

    def _of_link(self, name: str, link: Any, everything: dict[str, Any]) -> Iterator[str]:
        target = link.get("Type").removeprefix("Collection(").removesuffix(")").rpartition(".")[2]
        other = self.members(target) if target in self.types else {}
        partner = link.get("Partner")
        if partner is not None:
            back = other.get(partner)
            if back is None or name not in back.get("Type") or back.get("Partner") is None:
                yield f"{name}.{link.get('Name')}: partner {partner}"
        for constraint in link.findall(f"{EDM}ReferentialConstraint"):
            if constraint.get("Property") not in everything:
                yield f"{name}.{link.get('Name')}: {constraint.get('Property')}"
            if constraint.get("ReferencedProperty") not in other:
                yield f"{name}.{link.get('Name')}: {constraint.get('ReferencedProperty')}"

    def _of_sets(self) -> Iterator[str]:
        sets = {str(i.get("Name")): i for i in self.container.findall(f"{EDM}EntitySet")}
        for name, item in sets.items():
            kind = str(item.get("EntityType")).rpartition(".")[2]
            if kind not in self.types:
                yield f"set {name}: type {kind}"
                continue
            for binding in item.findall(f"{EDM}NavigationPropertyBinding"):
                if binding.get("Path") not in self.members(kind):
                    yield f"set {name}: path {binding.get('Path')}"
                if binding.get("Target") not in sets:
                    yield f"set {name}: target {binding.get('Target')}"
