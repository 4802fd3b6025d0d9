"""Builders of attributes: one short call per column of a sample entity.

A column is named by its schema name (`EMailAddress1`); the logical name is that in lower case.
Some columns bring others with them, as they do in Dynamics: money its amount in the base
currency, a lookup the name of the record it points to, a choice the text of its label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from organizations.samples.contoso.labels import joined, label
from organizations.schema import (
    Attribute,
    AttributeType,
    DateBehavior,
    Option,
    OptionSet,
    RequiredLevel,
    Source,
)

WHOLE_MAXIMUM = 2_147_483_647
MONEY_MAXIMUM = 922_337_203_685_477
TEXT_MAXIMUM = 1_073_741_823
NO_YES = ("No|Nein|Nie", "Yes|Ja|Áno")


@dataclass(frozen=True, slots=True)
class Target:
    """One entity a lookup points to, and the names of the relationship and its two ends.

    Empty `relationship` = the usual name (`account_new_equipment_new_accountid`); empty
    `navigation` = the name of the lookup, with the entity's for a lookup of many targets.
    """

    entity: str
    relationship: str = ""
    navigation: str = ""
    delete: str = "RemoveLink"


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute, those that come with it, and what a lookup points to."""

    attribute: Attribute
    companions: tuple[Attribute, ...] = ()
    targets: tuple[Target, ...] = ()


def _column(schema_name: str, kind: AttributeType, text: str, **properties: Any) -> Column:
    attribute = Attribute(
        name=schema_name.lower(),
        type=kind,
        schema_name=schema_name,
        label=label(text),
        is_custom=schema_name.startswith("new_"),
        **properties,
    )
    return Column(attribute)


def required(column: Column, level: RequiredLevel = RequiredLevel.APPLICATION) -> Column:
    """Return the column with a requirement level."""
    return replace(column, attribute=replace(column.attribute, required=level))


def read_only(column: Column) -> Column:
    """Return the column as one that only the system writes."""
    attribute = replace(column.attribute, is_creatable=False, is_updatable=False)
    return replace(column, attribute=attribute)


def create_only(column: Column) -> Column:
    """Return the column as one that can be given on creation and never changed."""
    return replace(column, attribute=replace(column.attribute, is_updatable=False))


def sourced(column: Column, source: Source) -> Column:
    """Return the column as one the system computes."""
    return read_only(replace(column, attribute=replace(column.attribute, source=source)))


def key(schema_name: str, text: str) -> Column:
    """Make the primary id of an entity."""
    column = create_only(_column(schema_name, AttributeType.UNIQUEIDENTIFIER, text))
    attribute = replace(column.attribute, is_primary_id=True, required=RequiredLevel.SYSTEM)
    return replace(column, attribute=attribute)


def name(column: Column) -> Column:
    """Return the column as the one by which records are shown."""
    return replace(column, attribute=replace(column.attribute, is_primary_name=True))


def identifier(schema_name: str, text: str) -> Column:
    """Make a column of GUIDs that is no lookup."""
    return _column(schema_name, AttributeType.UNIQUEIDENTIFIER, text)


def line(schema_name: str, length: int, text: str, form: str = "Text") -> Column:
    """Make a column of one line of text; `form` is Text, Email, Phone, Url or TickerSymbol."""
    return _column(schema_name, AttributeType.STRING, text, max_length=length, format=form)


def memo(schema_name: str, text: str, length: int = 2000) -> Column:
    """Make a column of long text."""
    return _column(schema_name, AttributeType.MEMO, text, max_length=length, format="TextArea")


def whole(
    schema_name: str,
    text: str,
    minimum: int = -WHOLE_MAXIMUM - 1,
    maximum: int = WHOLE_MAXIMUM,
    form: str = "None",
) -> Column:
    """Make a column of whole numbers."""
    bounds = {"minimum": minimum, "maximum": maximum}
    return _column(schema_name, AttributeType.INTEGER, text, format=form, **bounds)


def big(schema_name: str, text: str) -> Column:
    """Make a column of whole numbers of 64 bits."""
    bounds = {"minimum": -(2.0**63), "maximum": 2.0**63}
    return _column(schema_name, AttributeType.BIGINT, text, **bounds)


def number(schema_name: str, text: str, minimum: float, maximum: float, precision: int) -> Column:
    """Make a column of decimal numbers kept exactly."""
    bounds = {"minimum": minimum, "maximum": maximum, "precision": precision}
    return _column(schema_name, AttributeType.DECIMAL, text, **bounds)


def floating(schema_name: str, text: str, minimum: float, maximum: float, precision: int) -> Column:
    """Make a column of floating point numbers."""
    bounds = {"minimum": minimum, "maximum": maximum, "precision": precision}
    return _column(schema_name, AttributeType.DOUBLE, text, **bounds)


def money(schema_name: str, text: str, maximum: int = MONEY_MAXIMUM, minimum: int = 0) -> Column:
    """Make a column of amounts, with its companion in the base currency."""
    bounds = {"minimum": minimum, "maximum": maximum}
    column = _column(schema_name, AttributeType.MONEY, text, precision=2, **bounds)
    base = Attribute(
        name=f"{schema_name.lower()}_base",
        type=AttributeType.MONEY,
        schema_name=f"{schema_name}_Base",
        label=label(joined(text, "(Base)|(Basis)|(základ)", " ")),
        minimum=-MONEY_MAXIMUM,
        maximum=MONEY_MAXIMUM,
        precision=4,
        is_creatable=False,
        is_updatable=False,
        is_custom=column.attribute.is_custom,
    )
    return replace(column, companions=(base,))


def moment(schema_name: str, text: str, form: str = "DateAndTime") -> Column:
    """Make a column of points in time (User Local); `form` is DateAndTime or DateOnly."""
    return _column(schema_name, AttributeType.DATETIME, text, format=form)


def day(schema_name: str, text: str) -> Column:
    """Make a column of calendar days that no time zone shifts."""
    behavior = DateBehavior.DATE_ONLY
    return _column(
        schema_name, AttributeType.DATETIME, text, format="DateOnly", date_behavior=behavior
    )


def wall_clock(schema_name: str, text: str) -> Column:
    """Make a column of days and hours that no time zone shifts."""
    behavior = DateBehavior.TIME_ZONE_INDEPENDENT
    return _column(
        schema_name, AttributeType.DATETIME, text, format="DateAndTime", date_behavior=behavior
    )


def option(value: int, text: str, **properties: Any) -> Option:
    """Make one choice."""
    return Option(value=value, label=label(text), **properties)


def options(texts: Iterable[str], first: int = 1) -> tuple[Option, ...]:
    """Make choices numbered from `first`; `12 Text|Text|Text` gives a number of its own."""
    made: list[Option] = []
    for position, text in enumerate(texts, first):
        head, _, rest = text.partition(" ")
        numbered = head.isdecimal()
        made.append(option(int(head), rest) if numbered else option(position, text))
    return tuple(made)


def _with_options(column: Column, found: tuple[Option, ...], shared: str = "") -> Column:
    attribute = column.attribute
    option_set = OptionSet(
        name=shared, options=found, is_global=bool(shared), label=attribute.label
    )
    attribute = replace(attribute, option_set=option_set)
    return Column(attribute, (_shadow(attribute, AttributeType.VIRTUAL),))


def _shadow(attribute: Attribute, kind: AttributeType, suffix: str = "Name") -> Attribute:
    """Return the read-only companion that shows a value in words, as Dynamics has one."""
    return Attribute(
        name=f"{attribute.name}{suffix.lower()}",
        type=kind,
        schema_name=f"{attribute.schema_name}{suffix}",
        max_length=160 if kind is AttributeType.STRING else None,
        attribute_of=attribute.name,
        is_creatable=False,
        is_updatable=False,
        is_custom=attribute.is_custom,
    )


def flag(
    schema_name: str, text: str, answers: tuple[str, str] = NO_YES, default: int = 0
) -> Column:
    """Make a column of yes and no; `answers` are the labels of 0 and of 1."""
    column = _column(schema_name, AttributeType.BOOLEAN, text, default=default)
    return _with_options(column, options(answers, first=0))


def choice(
    schema_name: str,
    text: str,
    texts: Iterable[str],
    *,
    default: int | None = None,
    first: int = 1,
    shared: str = "",
) -> Column:
    """Make a column of one choice; `shared` names a global option set."""
    column = _column(schema_name, AttributeType.PICKLIST, text, default=default)
    return _with_options(column, options(texts, first), shared)


def choices(
    schema_name: str, text: str, texts: Iterable[str], *, first: int, shared: str = ""
) -> Column:
    """Make a column of many choices."""
    column = _column(schema_name, AttributeType.MULTISELECT, text)
    return _with_options(column, options(texts, first), shared)


def state(
    states: Mapping[int, tuple[str, int]], statuses: Mapping[int, tuple[int, str]]
) -> tuple[Column, Column]:
    """Make statecode and statuscode.

    `states` maps a state to its label and default status; `statuses` maps a status to its state
    and label. The default state is 0.
    """
    of_states = tuple(
        option(value, text, default_status=default) for value, (text, default) in states.items()
    )
    of_statuses = tuple(
        option(value, text, state=owner) for value, (owner, text) in statuses.items()
    )
    system, none = {"required": RequiredLevel.SYSTEM, "default": 0}, {"default": states[0][1]}
    statecode = _column("StateCode", AttributeType.STATE, "Status|Status|Stav", **system)
    reason = "Status Reason|Statusgrund|Dôvod stavu"
    statuscode = _column("StatusCode", AttributeType.STATUS, reason, **none)
    return _with_options(statecode, of_states), _with_options(statuscode, of_statuses)


def active_state() -> tuple[Column, Column]:
    """Make the statecode and statuscode that most entities have: active and inactive."""
    active, inactive = "Active|Aktiv|Aktívny", "Inactive|Inaktiv|Neaktívny"
    return state({0: (active, 1), 1: (inactive, 2)}, {1: (0, active), 2: (1, inactive)})


def lookup(schema_name: str, text: str, *targets: Target | str) -> Column:
    """Make a column that points to a record of one of the targets."""
    return _lookup(schema_name, AttributeType.LOOKUP, text, targets)


def customer(schema_name: str, text: str, *targets: Target | str) -> Column:
    """Make a column that points to an account or a contact."""
    return _lookup(schema_name, AttributeType.CUSTOMER, text, targets)


def owner(schema_name: str, text: str, relationship: str) -> Column:
    """Make the column that says who owns a record: a user or a team.

    The relationship points to the entity `owner`, of which both are kinds; no installation
    lists that entity's records.
    """
    column = _lookup(schema_name, AttributeType.OWNER, text, ("systemuser", "team"))
    target = Target("owner", relationship, schema_name.lower(), "NoCascade")
    return required(replace(column, targets=(target,)), RequiredLevel.SYSTEM)


def _lookup(
    schema_name: str, kind: AttributeType, text: str, targets: Iterable[Target | str]
) -> Column:
    known = tuple(Target(item) if isinstance(item, str) else item for item in targets)
    names = tuple(target.entity for target in known)
    column = _column(schema_name, kind, text, targets=names, format="None")
    shadows = [_shadow(column.attribute, AttributeType.STRING)]
    if column.attribute.is_polymorphic:
        shadows.append(_shadow(column.attribute, AttributeType.ENTITYNAME, "Type"))
    return replace(column, companions=tuple(shadows), targets=known)


def parties(schema_name: str, text: str, *targets: str) -> Column:
    """Make a column of activity parties."""
    return _column(schema_name, AttributeType.PARTYLIST, text, targets=targets)


def unstored(schema_name: str, kind: AttributeType, text: str) -> Column:
    """Make a column without values of its own here: an image, a file, a managed property."""
    return _column(schema_name, kind, text)
