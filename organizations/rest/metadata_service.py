"""The metadata service: entities and localizations, read and, as an extension, written (§2.1).

Written by administrators only, and only what is local or what a server of ours gave: `POST
$entities` with an `Entity` or `Entities`, `DELETE $entities/{entity}` and
`$entities/{entity}/{attribute}`, `POST $localizations` with a `Language`. No call of the original
for it is known (§8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.http import HttpResponse
from lxml import etree

from organizations import catalog as catalogs
from organizations.errors import InvalidRequest, NotFound
from organizations.rest.call import Call, answer
from organizations.rest.codec import entity_xml, labels_xml, read_entity, read_labels
from organizations.rest.codec.labels import COLLECTION, Labels, labels_of
from organizations.rest.faults import FORBIDDEN, MISSING, RestFault
from organizations.rest.markup import METADATA, children, local_name
from organizations.schema import Attribute, Entity, Label, Option

_ENTITIES, _LOCALIZATIONS = "$entities", "$localizations"
_PROTECTED = frozenset({"systemuser", "organization"})


def serve(call: Call) -> HttpResponse:
    """Answer one request."""
    first, *rest = call.path.strip("/").split("/")
    method = call.request.method
    if first == _ENTITIES and not rest and method == "GET":
        return answer(_entities(call))
    if first == _LOCALIZATIONS and not rest and method == "GET":
        return answer(_localizations(call))
    if first in (_ENTITIES, _LOCALIZATIONS) and method in ("POST", "DELETE"):
        return _write(call, first, rest)
    raise RestFault(
        f"There is no {method} of '{call.path[:80]}' in the metadata service.",
        status=404,
        code=MISSING,
    )


def _entities(call: Call) -> str:
    listed = "".join(entity_xml(entity) for entity in served(call))
    return f'<Entities xmlns="{METADATA}">{listed}</Entities>'


def _localizations(call: Call) -> str:
    text = call.options.get("lcid", str(call.organization.language))
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidRequest(
            f"lcid is a language's number such as 1033, not '{text[:20]}'.", "lcid"
        )
    lcid = int(text)
    labels = (label for entity in served(call) for label in labels_of(entity, lcid))
    return labels_xml(lcid, labels)


def served(call: Call) -> Iterator[Entity]:
    """Yield the entities whose records can be read and written."""
    for entity in call.catalog.entities():
        if call.catalog.enabled(entity.name):
            yield entity


def _write(call: Call, what: str, rest: list[str]) -> HttpResponse:
    if not call.member.is_administrator:
        raise RestFault(
            f"{call.member.email} is no administrator of '{call.organization.name}' and cannot "
            "change its metadata.",
            status=403,
            code=FORBIDDEN,
        )
    if what == _LOCALIZATIONS:
        _translate(call)
    elif call.request.method == "POST":
        _define(call)
    else:
        _remove(call, rest)
    return HttpResponse(status=204)


def _define(call: Call) -> None:
    root = call.document("Entities")
    found = list(children(root)) if local_name(root) == "Entities" else [root]
    entities = [_merged(call, item) for item in found]
    catalogs.define(call.organization, entities)
    catalogs.enable(call.organization, [entity.name for entity in entities])


def _merged(call: Call, item: etree._Element) -> Entity:
    """Return the definition, with the labels and keys it has here already."""
    if local_name(item) != "Entity":
        raise InvalidRequest(
            f"Expected an Entity element, found '{local_name(item)}'.", local_name(item)
        )
    given = read_entity(item)
    try:
        known = call.catalog.entity(given.name)
    except NotFound:
        return given
    return replace(
        given,
        label=known.label,
        collection_label=known.collection_label,
        keys=known.keys,
        attributes=tuple(_relabelled(attribute, known) for attribute in given.attributes),
    )


def _relabelled(attribute: Attribute, entity: Entity) -> Attribute:
    known = entity.attribute(attribute.name)
    return attribute if known is None else replace(attribute, label=known.label)


def _remove(call: Call, rest: list[str]) -> None:
    if not rest or len(rest) > 2:
        raise RestFault("DELETE names $entities/{entity} or $entities/{entity}/{attribute}.")
    name = rest[0]
    entity = call.catalog.entity(name)
    if len(rest) == 1:
        if name in _PROTECTED:
            raise InvalidRequest(f"Entity '{name}' cannot be removed.", name)
        catalogs.hide(call.organization, [name])
        return
    attribute = entity.attribute(rest[1])
    if attribute is None or attribute.is_hidden:
        raise NotFound("attribute", rest[1], name)
    if attribute.is_primary_id or attribute.is_primary_name:
        raise InvalidRequest(f"Attribute '{rest[1]}' names the records of '{name}'.", rest[1])
    left = tuple(item for item in entity.attributes if item.name != rest[1])
    catalogs.define(call.organization, [replace(entity, attributes=left)])


def _translate(call: Call) -> None:
    lcid, labels = read_labels(call.document("Language"))
    names = {name.partition(".")[0].partition(";")[0] for name in labels}
    entities = [_labelled(call.catalog.entity(name), lcid, labels) for name in sorted(names)]
    catalogs.define(call.organization, entities)


def _labelled(entity: Entity, lcid: int, labels: Labels) -> Entity:
    def put(label: Label, name: str) -> Label:
        return Label.of({**dict(label.texts), lcid: labels[name]}) if name in labels else label

    def option(item: Option, owner: str) -> Option:
        return replace(item, label=put(item.label, f"{owner}.{item.value}"))

    def attribute(item: Attribute) -> Attribute:
        owner = f"{entity.name}.{item.name}"
        options = item.option_set
        if options is not None:
            options = replace(options, options=tuple(option(one, owner) for one in options.options))
        return replace(item, label=put(item.label, owner), option_set=options)

    return replace(
        entity,
        label=put(entity.label, entity.name),
        collection_label=put(entity.collection_label, f"{entity.name}{COLLECTION}"),
        attributes=tuple(map(attribute, entity.attributes)),
    )
