"""Appointments, tasks, their parties, and notes of the Sales template."""

from __future__ import annotations

from collections.abc import Iterator

from organizations.samples.sales.columns import (
    choice,
    document,
    flag,
    floating,
    line,
    lookup,
    memo,
    moment,
    native,
    owner,
    parties,
    read_only,
    required,
    states,
    whole,
    written,
)
from organizations.schema import Attribute, Entity, Ownership

_APPOINTMENT = {
    0: ("Open", {1: "Free", 2: "Tentative"}),
    1: ("Completed", {3: "Completed"}),
    2: ("Canceled", {4: "Canceled"}),
    3: ("Scheduled", {5: "Busy", 6: "Out of Office"}),
}
_TASK = {
    0: (
        "Open",
        {2: "Not Started", 3: "In Progress", 4: "Waiting on someone else", 7: "Deferred"},
    ),
    1: ("Completed", {5: "Completed"}),
    2: ("Canceled", {6: "Canceled"}),
}
_PRIORITIES = {0: "Low", 1: "Normal", 2: "High"}
_REGARDING = ("account", "contact", "lead", "opportunity")
_PARTIES = ("account", "contact", "lead", "systemuser")
_MASKS = {
    1: "Sender",
    2: "To Recipient",
    3: "CC Recipient",
    4: "BCC Recipient",
    5: "Required Attendee",
    6: "Optional Attendee",
    7: "Organizer",
    8: "Regarding",
    9: "Owner",
    10: "Resource",
    11: "Customer",
}


def appointment() -> Entity:
    """Make the entity of meetings."""
    return native(
        "appointment",
        ("Appointment", "Appointments"),
        [
            *_activity(),
            line("location", "Location", 200),
            floating("latitude", "Latitude", 90),
            floating("longitude", "Longitude", 180),
            choice("appointmenttype", "Appointment Type", {1: "Meeting", 2: "Visit"}),
            moment("actualstart", "Actual Start"),
            moment("actualend", "Actual End"),
            parties("organizer", "Organizer", *_PARTIES),
            parties("requiredattendees", "Required Attendees", *_PARTIES),
            read_only(lookup("owningbusinessunit", "Owning Business Unit", "businessunit")),
            line("resco_eventid", "Event", 300),
            line("resco_externalid", "External Event", 300),
            line("resco_source", "Event Source", 100),
            flag("resco_islocal", "Only on the Device"),
            states(_APPOINTMENT),
            owner(),
            written("createdby", "modifiedby"),
        ],
        is_activity=True,
    )


def task() -> Entity:
    """Make the entity of tasks."""
    return native(
        "task",
        ("Task", "Tasks"),
        [*_activity(), states(_TASK), owner(), written()],
        is_activity=True,
    )


def _activity() -> Iterator[Attribute]:
    yield required(line("name", "Subject", 200))
    yield memo("description", "Description")
    yield required(moment("scheduledstart", "Start Time"))
    yield required(moment("scheduledend", "End Time"))
    yield whole("actualdurationminutes", "Duration", "Duration")
    yield choice("prioritycode", "Priority", _PRIORITIES, 1)
    yield lookup("regardingobjectid", "Regarding", *_REGARDING)


def activityparty() -> Entity:
    """Make the entity of those who take part in activities."""
    return native(
        "activityparty",
        ("Activity Party", "Activity Parties"),
        [
            lookup("activityid", "Activity", "appointment", "task"),
            lookup("partyid", "Party", *_PARTIES),
            choice("participationtypemask", "Participation Type", _MASKS),
            line("addressused", "Address", 320, "Email"),
        ],
        primary_name="addressused",
        ownership=Ownership.NONE,
        checks_versions=False,
    )


def annotation() -> Entity:
    """Make the entity of notes and attachments."""
    return native(
        "annotation",
        ("Note", "Notes"),
        [
            line("subject", "Title", 500),
            memo("notetext", "Description", 100_000),
            document("documentbody", "Document"),
            line("filename", "File Name", 255),
            read_only(whole("filesize", "File Size (Bytes)")),
            line("mimetype", "Mime Type", 256),
            flag("isdocument", "Is Document"),
            lookup("objectid", "Regarding", *_REGARDING, "appointment", "task"),
            owner(),
            written(),
        ],
        primary_name="subject",
    )
