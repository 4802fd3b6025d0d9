"""Entities, pages and readings for tests of the Dynamics connector."""

from __future__ import annotations

from typing import Any

from connections.connectors.base import ReadRequest
from connections.connectors.dynamics.connector import DynamicsConnector
from organizations.records import Page
from organizations.schema import Attribute, AttributeType, Entity
from tests.fakes.dataverse import told
from tests.fakes.server import Answer

T = AttributeType
ID = "00000000-0000-0000-0000-00000000000{}"


def make_account(*, tracked: bool = True, versions: bool = True) -> Entity:
    attributes = [
        Attribute(name="accountid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="name", type=T.STRING),
        Attribute(name="modifiedon", type=T.DATETIME),
    ]
    if versions:
        attributes.append(Attribute(name="versionnumber", type=T.BIGINT))
    return Entity(
        name="account",
        primary_id="accountid",
        set_name="accounts",
        attributes=tuple(attributes),
        tracks_changes=tracked,
    )


def make_row(number: int, version: int, **more: Any) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{version}"',
        "accountid": ID.format(number),
        "name": f"account {number}",
        "versionnumber": version,
        **more,
    }


def make_page(*rows: dict[str, Any], **links: str) -> Answer:
    return told({"value": list(rows), **{f"@odata.{name}": link for name, link in links.items()}})


def make_request(entity: Entity, **more: Any) -> ReadRequest:
    return ReadRequest(entity=entity, attributes=entity.attributes[:2], **more)


def read(connector: DynamicsConnector, entity: Entity, **more: Any) -> list[Page]:
    return list(connector.read(make_request(entity, **more)))


def ids_of(pages: list[Page]) -> list[str]:
    return [str(row[0])[-1] for page in pages for row in page.rows]


LOW = make_page({"versionnumber": 1000})
