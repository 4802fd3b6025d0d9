"""How a record of each entity is made, changed, deleted and found, on either side.

Names that begin with "In" are inside the sync filters, those that begin with "Out" are not.
"""

from __future__ import annotations

from typing import Any

from organizations.errors import NotFound
from organizations.query.nodes import Condition, Group, Operator, Query
from tests.acceptance.place import Place

FILTERED_BY = {
    "account": "name",
    "lead": "subject",
    "competitor": "name",
    "appointment": "subject",
    "systemuser": "firstname",
    "role": "name",
    "new_equipment": "new_name",
}


def filters() -> dict[str, str]:
    """Entity → a sync filter that holds what begins with "In"."""
    return {
        entity: f'<fetch><entity name="{entity}"><filter><condition attribute="{attribute}" '
        'operator="like" value="In%"/></filter></entity></fetch>'
        for entity, attribute in FILTERED_BY.items()
    }


class Recipe:
    """Records of an entity with a text by which they are known and filtered."""

    creates_from_client = True
    updates = True

    def __init__(self, place: Place, entity: str) -> None:
        self.place, self.entity = place, entity
        self.attribute = FILTERED_BY.get(entity, "")
        definition = place.client.catalog.entity(entity)
        self.set_name, self.key = definition.set_name, definition.primary_id

    def on_server(self, text: str) -> str:
        return self.place.api.create(self.set_name, **self.values(text))

    def on_client(self, text: str) -> str:
        return self.place.client.create(self.entity, self.client_values(text)).id

    def values(self, text: str) -> dict[str, Any]:
        return {self.attribute: text}

    def client_values(self, text: str) -> dict[str, Any]:
        return {name: value for name, value in self.values(text).items() if "@" not in name}

    def change_on_server(self, item: str, text: str) -> None:
        self.place.api.send("PATCH", f"{self.set_name}({item})", {self.attribute: text})

    def change_on_client(self, item: str, text: str) -> None:
        self.place.client.update(self.entity, item, {self.attribute: text})

    def delete_on_server(self, item: str) -> None:
        assert self.place.api.send("DELETE", f"{self.set_name}({item})").status_code == 204

    def delete_on_client(self, item: str) -> None:
        self.place.client.delete(self.entity, item)

    def text_on_server(self, item: str) -> str | None:
        """The text of a record; None where there is none."""
        row = self.place.api.read(self.set_name, item)
        return None if row is None else row[self.attribute]

    def text_on_client(self, item: str) -> str | None:
        try:
            return str(self.place.client.get(self.entity, item).values[self.attribute])
        except NotFound:
            return None


class LeadRecipe(Recipe):
    def values(self, text: str) -> dict[str, Any]:
        return {"subject": text, "lastname": "Lead", "companyname": "Company"}


class AppointmentRecipe(Recipe):
    def values(self, text: str) -> dict[str, Any]:
        hours = {"scheduledstart": "2026-06-01T08:00:00Z", "scheduledend": "2026-06-01T09:00:00Z"}
        return {"subject": text, **hours}


class RoleRecipe(Recipe):
    """Roles exist on both sides by themselves: none is made or deleted by the other side."""

    creates_from_client = False

    def values(self, text: str) -> dict[str, Any]:
        return {"name": text, "businessunitid@odata.bind": f"businessunits({self._unit()})"}

    def _unit(self) -> str:
        return str(self.place.api.rows("businessunits")[0]["businessunitid"])


class UserRecipe(RoleRecipe):
    def values(self, text: str) -> dict[str, Any]:
        mail = f"{text.replace(' ', '.').lower()}@contoso.example"
        unit = {"businessunitid@odata.bind": f"businessunits({self._unit()})"}
        names = {"firstname": text, "lastname": "User"}
        return {**names, "domainname": mail, "internalemailaddress": mail, **unit}


class PairRecipe:
    """Pairs of an N:N relationship: made by linking, deleted by unlinking, never changed."""

    updates = False
    ends: tuple[str, str] = ("lead", "competitor")
    relationship = "leadcompetitors_association"
    creates_from_client = True

    def __init__(self, place: Place, entity: str) -> None:
        self.place, self.entity = place, entity
        pair = place.client.catalog.entity(entity).intersect
        assert pair is not None
        self.pair = pair
        self.set_name = place.client.catalog.entity(entity).set_name
        self.first = recipe(place, pair.entity1)
        self.second = recipe(place, pair.entity2)

    def on_server(self, text: str) -> str:
        return self.link(*self.make_ends(text))

    def make_ends(self, text: str) -> tuple[str, str]:
        return self.first.on_server(f"{text} 1"), self.second.on_server(f"{text} 2")

    def link(self, first: str, second: str) -> str:
        path = f"{self.first.set_name}({first})/{self.pair.navigation1}/$ref"
        url = f"{self.place.api.url}/api/data/v9.2/{self.second.set_name}({second})"
        self.place.api.send("POST", path, {"@odata.id": url})
        return f"{first}/{second}"

    def on_client(self, text: str) -> str:
        """Link two records that both sides have."""
        first, second = text.split("/")
        self.place.client.associate(self.pair.name, first, second)
        return text

    def delete_on_server(self, item: str) -> None:
        first, second = item.split("/")
        path = f"{self.first.set_name}({first})/{self.pair.navigation1}({second})/$ref"
        assert self.place.api.send("DELETE", path).status_code == 204

    def delete_on_client(self, item: str) -> None:
        assert self.place.client.disassociate(self.pair.name, *item.split("/"))

    def text_on_server(self, item: str) -> str | None:
        first, second = item.split("/")
        test = f"{self.pair.attribute1} eq {first} and {self.pair.attribute2} eq {second}"
        return item if self.place.api.rows(self.set_name, test) else None

    def text_on_client(self, item: str) -> str | None:
        conditions = zip((self.pair.attribute1, self.pair.attribute2), item.split("/"), strict=True)
        group = Group(children=tuple(Condition(n, Operator.EQ, (v,)) for n, v in conditions))
        found = self.place.client.query(Query(entity=self.entity, filter=group)).rows
        return item if found else None


class PrivilegeRecipe(Recipe):
    """Privileges are the system's alone: there are some, and none is made."""

    def on_server(self, text: str) -> str:
        used = self.__dict__.setdefault("used", set())
        for row in self.place.api.rows("privileges"):
            if row["privilegeid"] not in used:
                used.add(row["privilegeid"])
                return str(row["privilegeid"])
        raise AssertionError("There are no more privileges.")


class RolePrivilegeRecipe(PairRecipe):
    """Pairs that Dynamics changes by actions of its own: read, never written."""

    creates_from_client = False


_RECIPES: dict[str, type[Recipe] | type[PairRecipe]] = {
    "lead": LeadRecipe,
    "appointment": AppointmentRecipe,
    "role": RoleRecipe,
    "systemuser": UserRecipe,
    "privilege": PrivilegeRecipe,
    "leadcompetitors": PairRecipe,
    "systemuserroles": PairRecipe,
    "roleprivileges": RolePrivilegeRecipe,
}


def recipe(place: Place, entity: str) -> Any:
    """Return how records of the entity are handled."""
    return _RECIPES.get(entity, Recipe)(place, entity)
