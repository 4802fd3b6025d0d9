"""Metadata as the REST metadata service writes them, both ways (resco.md §2)."""

from organizations.rest.codec.labels import Labels, labels_of, labels_xml, read_labels
from organizations.rest.codec.printing import entity_xml
from organizations.rest.codec.reading import read_entity

__all__ = ["Labels", "entity_xml", "labels_of", "labels_xml", "read_entity", "read_labels"]
