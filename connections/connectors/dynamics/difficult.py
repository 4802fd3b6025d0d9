"""Tables of Dataverse that are difficult to synchronize, and what we do about each.

The facts are those of dataverse.md §6. A table is refused, with the reason shown beside it before
any run; or it is carried with a note that says what is particular; or it is carried from the
server only, because its rows are not written as records. What is not listed is an ordinary table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Handling(StrEnum):
    """What is done about a difficult table."""

    CARRIED = "carried"
    READ_ONLY = "read only"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one table is handled, and why, in a sentence for an administrator."""

    handling: Handling
    reason: str

    @property
    def problem(self) -> str:
        """Return why the table cannot be carried, or ''."""
        return self.reason if self.handling is Handling.REFUSED else ""

    @property
    def note(self) -> str:
        """Return what is particular about carrying it, or ''."""
        return "" if self.handling is Handling.REFUSED else self.reason


def treatment(name: str, *, table_type: str = "") -> Treatment | None:
    """Return how a table is handled, None for an ordinary one.

    `table_type` is its TableType (Standard, Virtual, Elastic), where known.
    """
    listed = _BY_NAME.get(name) or next(_by_pattern(name), None)
    return listed or _BY_TABLE_TYPE.get(table_type)


def problem(name: str) -> str:
    """Return why the table cannot be carried, or ''."""
    found = treatment(name)
    return found.problem if found else ""


def write_refusal(name: str) -> str:
    """Return why rows of the table are never written, or ''."""
    found = treatment(name)
    return "" if found is None or found.handling is Handling.CARRIED else found.reason


def _by_pattern(name: str) -> Iterator[Treatment]:
    return (found for pattern, found in _BY_PATTERN.items() if fnmatchcase(name, pattern))


def _refused(reason: str) -> Treatment:
    return Treatment(Handling.REFUSED, reason)


def _read_only(reason: str) -> Treatment:
    return Treatment(Handling.READ_ONLY, reason)


def _carried(reason: str) -> Treatment:
    return Treatment(Handling.CARRIED, reason)


def _own_on_both_sides(key: str, more: str = "") -> Treatment:
    return _carried(f"Both sides have rows of their own: they are matched by {key}.{more}")


_WITH_ITS_ACTIVITY = (
    "Activity parties are part of their activity and are carried with it, never alone."
)
_UNREADABLE = _refused("The server allows no reading of this table through its web service.")
_COMPONENT = _refused("This is a solution component, not data; it is installed with its solution.")
_SUBSCRIPTION = _refused("The server keeps its own mail and offline clients in step with this.")
_BY_ACTION = " Pairs are read, but never written."

_BY_NAME: Mapping[str, Treatment] = {
    "activityparty": _refused(_WITH_ITS_ACTIVITY),
    "activitypointer": _refused(
        "It only shows all kinds of activities together. Enable the kinds themselves: task, "
        "appointment, phonecall, email."
    ),
    "annotation": _carried(
        "Attachments come inside their note, so a first load can be long. A sync filter on "
        "'isdocument' or 'filesize' leaves out those that are not needed."
    ),
    "calendar": _carried("Its rules can only be read through it and are not carried."),
    "calendarrule": _refused("Its rows can only be read through their calendar."),
    "connection": _carried("The server makes the opposite row of each connection by itself."),
    "customeraddress": _carried(
        "The server makes addresses 1 to 3 together with their account or contact; the same "
        "values stand in its address1, address2 and address3 attributes."
    ),
    "principalobjectaccess": _refused(
        "Shares of records are granted and revoked by requests of their own, and are not carried."
    ),
    # People and units: they exist on both sides.
    "businessunit": _own_on_both_sides("name"),
    "queue": _own_on_both_sides("name", " Every user has one that the server made."),
    "role": _own_on_both_sides(
        "name", " The server copies every role to each business unit below its own."
    ),
    "systemuser": _own_on_both_sides(
        "user name or e-mail", " Users come from the tenant and its licences."
    ),
    "team": _own_on_both_sides("name", " Every business unit has one that the server made."),
    "transactioncurrency": _own_on_both_sides("ISO code", " The base currency cannot change."),
    # Pairs.
    "listmember": _read_only("Members join a list by an action (AddListMembersList)." + _BY_ACTION),
    "roleprivileges": _read_only("A role gets privileges by AddPrivilegesRole." + _BY_ACTION),
    "systemuserroles": _carried(
        "A user can only have roles of the own business unit; others are refused one by one."
    ),
    # States that are reached by actions.
    "incident": _carried("A case is resolved by CloseIncident; its resolution is not carried."),
    "opportunity": _carried(
        "Won and lost are reached by WinOpportunity and LoseOpportunity; a state that the server "
        "does not take is listed as an error of that record."
    ),
    "quote": _carried(
        "Won, closed and revised are reached by actions; a state that the server does not take is "
        "listed as an error of that record."
    ),
    "salesorder": _carried(
        "Fulfilled and cancelled are reached by actions; a state that the server does not take is "
        "listed as an error of that record."
    ),
    # Reading them fails.
    **dict.fromkeys(
        (
            "commitment",
            "complexcontrol",
            "dataperformance",
            "knowledgearticlescategories",
            "languageprovisioningstate",
            "lookupmapping",
            "managedproperty",
            "metadatabase",
            "msdyn_casesuggestion",
            "msdyn_knowledgearticlesuggestion",
            "msdyn_nonrelationalds",
            "officegraphdocument",
            "optionset",
            "postregarding",
            "resco_questionnairefolder",
            "ribbonmetadatatoprocess",
            "runtimedependency",
            "similarityrule",
            "systemusersyncmappingprofiles",
            "teamsyncattributemappingprofiles",
            "timestampdatemapping",
        ),
        _UNREADABLE,
    ),
    **dict.fromkeys(
        (
            "pluginassembly",
            "pluginpackage",
            "plugintype",
            "plugintypestatistic",
            "publisher",
            "savedquery",
            "savedqueryvisualization",
            "sitemap",
            "solution",
            "systemform",
            "webresource",
            "workflow",
        ),
        _COMPONENT,
    ),
}
_BY_PATTERN: Mapping[str, Treatment] = {
    "organizationdatasync*": _UNREADABLE,
    "ribbon*": _COMPONENT,
    "sdkmessage*": _COMPONENT,
    "solutioncomponent*": _COMPONENT,
    "subscription*": _SUBSCRIPTION,
}
_BY_TABLE_TYPE: Mapping[str, Treatment] = {
    "Virtual": _carried(
        "A virtual table: its rows stand in another system, which tells no changes, so every run "
        "reads them all."
    ),
    "Elastic": _carried("An elastic table: pages hold 500 rows at most."),
}
