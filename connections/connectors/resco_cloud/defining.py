"""Writing metadata by the extension that organizations hosted by this product serve.

No call of the original writes metadata (resco.md §8). Who serves ours says so in WhoAmI, by the
element `MetadataExtension`, to those who may use it (an addition of ours: `metadata`).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from connections.connectors.defining import Definer
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.markup import parse
from connections.connectors.resco_cloud.metadata import Definitions
from organizations.rest.codec import entity_xml, labels_of, labels_xml, read_entity
from organizations.rest.markup import METADATA
from organizations.schema import Entity


class ExtensionDefiner(Definer):
    """Writes `$entities` and `$localizations`."""

    def __init__(self, client: RescoClient, definitions: Definitions) -> None:
        """`definitions` forget what they know once something is written."""
        self._client, self._definitions = client, definitions

    def express(self, entity: Entity) -> Entity:
        """Print the entity and read it again, with the labels of all its languages."""
        labels = {lcid: dict(labels_of(entity, lcid)) for lcid in languages_of(entity)}
        return read_entity(parse(entity_xml(entity).encode()), labels)

    def define(self, entities: Iterable[Entity]) -> None:
        """Post the definitions, then each language's labels."""
        made = list(entities)
        if not made:
            return
        listed = "".join(map(entity_xml, made))
        body = f'<Entities xmlns="{METADATA}">{listed}</Entities>'
        self._client.write_metadata("POST", "$entities", body.encode())
        for lcid in sorted({lcid for entity in made for lcid in languages_of(entity)}):
            labels = (label for entity in made for label in labels_of(entity, lcid))
            document = labels_xml(lcid, labels)
            self._client.write_metadata("POST", "$localizations", document.encode())
        self._definitions.forget()

    def hide(self, names: Iterable[str]) -> None:
        """Delete the entities, which hides them there."""
        for name in names:
            self._client.write_metadata("DELETE", f"$entities/{quote(name)}")
        self._definitions.forget()


def languages_of(entity: Entity) -> set[int]:
    """Return the languages in which anything of an entity has a label."""
    labels = [entity.label, entity.collection_label]
    for attribute in entity.attributes:
        labels.append(attribute.label)
        options = attribute.option_set.options if attribute.option_set else ()
        labels += [option.label for option in options]
    return {lcid for label in labels for lcid, _ in label.texts}
