"""How large a query of somebody outside may be."""

from __future__ import annotations

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query.analysis import all_conditions, all_links
from organizations.query.nodes import Link, Query
from organizations.query.statements import MOST_COLUMNS

MOST_CONDITIONS = 500
"""Conditions of a query, those of its links counted: Dataverse's limit of one filter."""
MOST_ORDERS = 50


def check_elements(root: etree._Element, element: str) -> None:
    """Raise InvalidRequest for a document with more columns or sort keys than a query has.

    Told before anything is read, because reading so many takes its time.
    """
    for name, most, what in (
        ("attribute", MOST_COLUMNS, "attributes"),
        ("order", MOST_ORDERS, "sort keys"),
    ):
        number = sum(1 for _ in root.iter(f"{{*}}{name}"))
        if number > most:
            raise InvalidRequest(
                f"A query has at most {most:,} {what}, not {number:,}. Ask for less.", element
            )


def check_size(query: Query, element: str) -> None:
    """Raise InvalidRequest, which blames `element`, for a query that is too large."""
    places: list[Query | Link] = [query, *all_links(query.links)]
    for most, number, what in (
        (MOST_CONDITIONS, sum(1 for _ in all_conditions(query)), "conditions"),
        (MOST_COLUMNS, sum(len(place.select) for place in places), "attributes"),
        (MOST_ORDERS, sum(len(place.order) for place in places), "sort keys"),
    ):
        if number > most:
            raise InvalidRequest(
                f"A query has at most {most:,} {what}, not {number:,}. Ask for less, use in with "
                "a list, or send several.",
                element,
            )
