"""Create, Update, Delete, Execute and their Multiple forms (resco.md §1.2, §1.7 to §1.9).

An operation is an `Entity` element; only Execute says itself what is to be done with it. Pairs of
an N:N relationship are made and removed by their two lookups.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from django.http import HttpResponse
from lxml import etree

from organizations.errors import InvalidRequest, NotFound, OrganizationError
from organizations.query.fetchxml_parts import flag
from organizations.records import RecordValue, Reference
from organizations.rest import value_text
from organizations.rest.call import Call, answer
from organizations.rest.faults import fault_of, fault_xml
from organizations.rest.markup import children, local_name
from organizations.schema import Attribute, Entity, ManyToMany
from organizations.values import InvalidValue, guid

MOST = 1000
"""Operations of one request. Not documented (assumed); the known clients send up to 500 (§1.9)."""
ID = "id"


class Act(StrEnum):
    """What is done with a record; the names are those of `Action` in Execute."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    UPSERT = "Upsert"


def execute(call: Call) -> HttpResponse:
    """Carry out one operation; what goes wrong with its record is a Fault in the answer (§1.8)."""
    root = call.document("Entity")
    return answer(f"<ExecuteResult>{_outcome(call, root, None)}</ExecuteResult>")


def execute_multiple(call: Call) -> HttpResponse:
    """Carry out operations one after another and answer in their order (§1.9).

    Without ContinueOnError the first that fails is the last that was tried.
    """
    root = call.document("ExecuteMultiple")
    goes_on = flag(root, "ContinueOnError")
    return answer(_all(call, "ExecuteMultipleResult", list(children(root)), None, goes_on=goes_on))


def single(call: Call, act: Act) -> HttpResponse:
    """Carry out Create, Update or Delete of the `Entity` in the body (assumed, §8)."""
    return answer(f"<{act}Result>{_result(call, call.document('Entity'), act)}</{act}Result>")


def multiple(call: Call, act: Act) -> HttpResponse:
    """Carry out CreateMultiple, UpdateMultiple or DeleteMultiple of the `Entities` in the body.

    Answered as ExecuteMultiple; one that fails does not stop the others (assumed, §8).
    """
    root = call.document("Entities")
    return answer(_all(call, f"{act}MultipleResult", list(children(root)), act, goes_on=True))


def update_act(call: Call) -> Act:
    """Return what Update does here: `$create=true` makes what is not there (§1.2)."""
    text = call.options.get("$create", "false").lower()
    if text not in ("true", "false"):
        raise InvalidRequest(f"$create is true or false, not '{text[:40]}'.", "$create")
    return Act.UPSERT if text == "true" else Act.UPDATE


def _all(
    call: Call, name: str, found: list[etree._Element], act: Act | None, *, goes_on: bool
) -> str:
    if len(found) > MOST:
        raise InvalidRequest(
            f"A request has at most {MOST:,} operations, not {len(found):,}. Send several.",
            "Entity",
        )
    parts = []
    for one in found:
        parts.append(f"<Response>{_outcome(call, one, act)}</Response>")
        if not goes_on and parts[-1].startswith("<Response><Fault>"):
            break
    return f"<{name}>{''.join(parts)}</{name}>"


def _outcome(call: Call, found: etree._Element, act: Act | None) -> str:
    try:
        return _result(call, found, act)
    except OrganizationError as error:
        return fault_xml(fault_of(error))


def _result(call: Call, found: etree._Element, act: Act | None) -> str:
    operation = _Operation(call, found)
    done = act or operation.act()
    made = operation.carry_out(done)
    if made:
        return f'<Result Type="guid">{made}</Result>'
    return '<Result Type="bool">True</Result>'


class _Operation:
    """One `Entity` element: the record it means and the values it gives."""

    def __init__(self, call: Call, found: etree._Element) -> None:
        if local_name(found) != "Entity":
            raise InvalidRequest(
                f"Expected an Entity element, found '{local_name(found)}'.", local_name(found)
            )
        self._call, self._element = call, found
        self._entity = self._defined()

    def act(self) -> Act:
        """Return the Action it names."""
        text = self._element.get("Action", "")
        if text not in tuple(Act):
            raise InvalidRequest(
                f"Action is Create, Update, Delete or Upsert, not '{text[:40]}'.", "Action"
            )
        return Act(text)

    def carry_out(self, act: Act) -> str:
        """Do it; returns the id of a record that was made, else ''."""
        store, name, actor = self._call.store, self._entity.name, self._call.member.email
        pair, record_id = self._entity.intersect, self._id()
        if pair is not None and not record_id:
            return self._carry_out_pair(act, pair)
        if act is Act.CREATE:
            return store.create(name, self._values(), id=record_id or None, actor=actor).id
        if not record_id:
            raise InvalidRequest(f"{act} of {name} needs an {ID} element.", ID)
        if act is Act.DELETE:
            store.delete(name, record_id, actor=actor)
            return ""
        if act is Act.UPDATE:
            store.update(name, record_id, self._values(), actor=actor)
            return ""
        record, is_new = store.upsert(name, record_id, self._values(), actor=actor)
        return record.id if is_new else ""

    def _carry_out_pair(self, act: Act, pair: ManyToMany) -> str:
        values = self._values()
        ends = (self._end(values, pair.attribute1), self._end(values, pair.attribute2))
        actor = self._call.member.email
        if act is Act.DELETE:
            if not self._call.store.disassociate(pair.name, *ends, actor=actor):
                raise NotFound("pair", " and ".join(ends), self._entity.name)
            return ""
        self._call.store.associate(pair.name, *ends, actor=actor)
        return self._call.store.pair_id(pair.name, *ends) if act is Act.CREATE else ""

    def _end(self, values: dict[str, RecordValue], name: str) -> str:
        value = values.get(name)
        if value is None:
            raise InvalidRequest(f"A pair of {self._entity.name} needs '{name}'.", name)
        return value.id if isinstance(value, Reference) else str(value)

    def _defined(self) -> Entity:
        name = self._element.get("EntityName", "")
        if not name:
            raise InvalidRequest("Entity needs the attribute EntityName.", "EntityName")
        entity = self._call.catalog.entity(name)
        if entity.is_hidden:
            raise NotFound("entity", name)
        return entity

    def _id(self) -> str:
        names = (ID, self._entity.primary_id)
        found = next((item for item in self._given() if local_name(item) in names), None)
        text = "" if found is None else (found.text or "").strip()
        try:
            return guid(text) if text else ""
        except ValueError as error:
            raise InvalidRequest(
                f"'{text[:80]}' is not the id of a record (a GUID).", ID
            ) from error

    def _given(self) -> Iterator[etree._Element]:
        return children(self._element)

    def _values(self) -> dict[str, RecordValue]:
        found: dict[str, RecordValue] = {}
        for item in self._given():
            attribute = self._attribute(local_name(item))
            if attribute is None:
                continue
            if attribute.name in found:
                raise InvalidRequest(f"'{attribute.name}' is there twice.", attribute.name)
            found[attribute.name] = self._value(attribute, item)
        return found

    def _attribute(self, name: str) -> Attribute | None:
        if name == self._entity.primary_id:
            return None
        found = self._entity.attribute(name)
        if found is None and name == ID:
            return None
        if found is None or found.is_hidden:
            raise InvalidRequest(f"Entity '{self._entity.name}' has no attribute '{name}'.", name)
        return found

    def _value(self, attribute: Attribute, item: etree._Element) -> RecordValue:
        pair = self._entity.intersect
        if pair is not None and attribute.name in (pair.attribute1, pair.attribute2):
            # Its ends are plain ids here; clients write them as the lookups they are to them.
            return value_text.id_of(item)
        try:
            return value_text.read(attribute, item)
        except InvalidValue as error:
            raise InvalidRequest(str(error), attribute.name) from error
