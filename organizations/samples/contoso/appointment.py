"""The activity appointment, and the parties of activities."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    choice,
    flag,
    floating,
    identifier,
    key,
    line,
    lookup,
    memo,
    moment,
    name,
    parties,
    read_only,
    required,
    state,
    unstored,
    whole,
)
from organizations.samples.contoso.common import audit, currency, imported, owned, version
from organizations.samples.contoso.tables import table
from organizations.schema import AttributeType, Entity, Ownership

_STATES = {
    0: ("Open|Offen|Otvorená", 1),
    1: ("Completed|Abgeschlossen|Dokončená", 3),
    2: ("Canceled|Abgesagt|Zrušená", 4),
    3: ("Scheduled|Geplant|Naplánovaná", 5),
}
_STATUSES = {
    1: (0, "Free|Frei|Voľno"),
    2: (0, "Tentative|Mit Vorbehalt|Nezáväzné"),
    3: (1, "Completed|Abgeschlossen|Dokončená"),
    4: (2, "Canceled|Abgesagt|Zrušená"),
    5: (3, "Busy|Beschäftigt|Nemám čas"),
    6: (3, "Out of Office|Abwesend|Mimo kancelárie"),
}
_PRIORITIES = ("Low|Niedrig|Nízka", "Normal|Normal|Normálna", "High|Hoch|Vysoká")
_INSTANCES = (
    "Not Recurring|Nicht wiederkehrend|Neopakuje sa",
    "Recurring Master|Serienmaster|Predloha opakovania",
    "Recurring Instance|Serieninstanz|Výskyt opakovania",
    "Recurring Exception|Serienausnahme|Výnimka opakovania",
    "Recurring Future Exception|Künftige Serienausnahme|Budúca výnimka opakovania",
)
_PARTY_KINDS = ("account", "contact", "lead", "systemuser")
_MASKS = (
    "Sender|Absender|Odosielateľ",
    "To Recipient|Empfänger|Príjemca",
    "CC Recipient|CC-Empfänger|Príjemca kópie",
    "BCC Recipient|BCC-Empfänger|Príjemca skrytej kópie",
    "Required attendee|Erforderlicher Teilnehmer|Povinný účastník",
    "Optional attendee|Optionaler Teilnehmer|Voliteľný účastník",
    "Organizer|Organisator|Organizátor",
    "Regarding|Bezug|Týka sa",
    "Owner|Besitzer|Vlastník",
    "Resource|Ressource|Zdroj",
    "Customer|Kunde|Zákazník",
    "Chat Participant|Chatteilnehmer|Účastník četu",
)


def appointment() -> Entity:
    """Make the entity of meetings."""
    return table(
        "Appointment",
        ("Appointment|Termin|Plánovaná činnosť", "Appointments|Termine|Plánované činnosti"),
        [
            key("ActivityId", "Appointment|Termin|Plánovaná činnosť"),
            required(name(line("Subject", 200, "Subject|Betreff|Predmet"))),
            unstored(
                "ActivityTypeCode",
                AttributeType.ENTITYNAME,
                "Activity Type|Aktivitätstyp|Typ aktivity",
            ),
            line("Location", 200, "Location|Ort|Miesto"),
            memo("Description", "Description|Beschreibung|Popis", 1_073_741_823),
            line("Category", 250, "Category|Kategorie|Kategória"),
            line("Subcategory", 250, "Sub-Category|Unterkategorie|Podkategória"),
            *_times(),
            *_people(),
            *_flags(),
            *currency("appointment"),
            *state(_STATES, _STATUSES),
            *owned("appointments", "user_appointment", "team_appointments"),
            *audit("appointment"),
            *imported(),
        ],
        code=4201,
        set_name="appointments",
        is_activity=True,
        tracks_changes=True,
    )


def _times() -> list[Column]:
    minutes = "Scheduled Duration|Geplante Dauer|Plánované trvanie"
    return [
        required(moment("ScheduledStart", "Start Time|Startzeit|Čas začatia")),
        required(moment("ScheduledEnd", "End Time|Endzeit|Čas skončenia")),
        flag("IsAllDayEvent", "All Day Event|Ganztägiges Ereignis|Celodenná udalosť"),
        read_only(whole("ScheduledDurationMinutes", minutes, 0, form="Duration")),
        moment("ActualStart", "Actual Start|Tatsächlicher Beginn|Skutočné začatie"),
        moment("ActualEnd", "Actual End|Tatsächliches Ende|Skutočné skončenie"),
        whole("ActualDurationMinutes", "Duration|Dauer|Trvanie", 0, form="Duration"),
        moment(
            "OriginalStartDate", "Original Start Date|Ursprünglicher Beginn|Pôvodný dátum začatia"
        ),
        moment("SortDate", "Sort Date|Sortierdatum|Dátum zoradenia"),
    ]


def _people() -> list[Column]:
    return [
        parties("Organizer", "Organizer|Organisator|Organizátor", *_PARTY_KINDS),
        parties(
            "RequiredAttendees",
            "Required Attendees|Erforderliche Teilnehmer|Povinní účastníci",
            *_PARTY_KINDS,
        ),
        parties(
            "OptionalAttendees",
            "Optional Attendees|Optionale Teilnehmer|Voliteľní účastníci",
            *_PARTY_KINDS,
        ),
        lookup(
            "RegardingObjectId",
            "Regarding|Bezug|Týka sa",
            _regarding("account", "Account_Appointments"),
            _regarding("contact", "Contact_Appointments"),
            _regarding("lead", "Lead_Appointments"),
            _regarding("new_equipment", "new_equipment_Appointments"),
        ),
    ]


def _regarding(entity: str, relationship: str) -> Target:
    return Target(entity, relationship, f"regardingobjectid_{entity}_appointment", "Cascade")


def _flags() -> list[Column]:
    return [
        choice("PriorityCode", "Priority|Priorität|Priorita", _PRIORITIES, default=1, first=0),
        read_only(
            choice(
                "InstanceTypeCode",
                "Appointment Type|Terminart|Typ činnosti",
                _INSTANCES,
                default=0,
                first=0,
            )
        ),
        flag("IsBilled", "Is Billed|In Rechnung gestellt|Je fakturované"),
        read_only(flag("IsMapiPrivate", "Is Private|Ist privat|Je súkromné")),
        read_only(
            flag(
                "IsRegularActivity", "Is Regular Activity|Ist reguläre Aktivität|Je bežná aktivita"
            )
        ),
        flag(
            "IsWorkflowCreated",
            "Is Workflow Created|Vom Workflow erstellt|Vytvoril pracovný postup",
        ),
        line("GlobalObjectId", 300, "Outlook Appointment|Outlook-Termin|Udalosť programu Outlook"),
        read_only(whole("AttachmentCount", "Attachment Count|Anzahl der Anlagen|Počet príloh", 0)),
    ]


def activityparty() -> Entity:
    """Make the entity of parties: who takes part in an activity, and as what."""
    return table(
        "ActivityParty",
        (
            "Activity Party|Aktivitätspartei|Účastník aktivity",
            "Activity Parties|Aktivitätsparteien|Účastníci aktivít",
        ),
        [
            key("ActivityPartyId", "Activity Party|Aktivitätspartei|Účastník aktivity"),
            lookup(
                "ActivityId",
                "Activity|Aktivität|Aktivita",
                Target(
                    "appointment",
                    "appointment_activity_parties",
                    "activityid_appointment",
                    "Cascade",
                ),
            ),
            lookup(
                "PartyId", "Party|Partei|Účastník", *(_party(entity) for entity in _PARTY_KINDS)
            ),
            choice("ParticipationTypeMask", "Participation Type|Teilnahmeart|Typ účasti", _MASKS),
            name(line("AddressUsed", 320, "Address|Adresse|Adresa", "Email")),
            line("UnresolvedPartyName", 320, "Unresolved|Nicht zugeordnet|Nepriradený účastník"),
            read_only(
                whole(
                    "AddressUsedEmailColumnNumber",
                    "Email column|E-Mail-Spalte|Stĺpec e-mailu",
                    1,
                    10**6,
                )
            ),
            flag("DoNotEMail", "Do not allow Emails|E-Mails nicht zulassen|Nepovoliť e-maily"),
            floating("Effort", "Effort|Aufwand|Úsilie", 0, 10**9, 2),
            line("ExchangeEntryId", 1024, "Exchange Entry|Exchange-Eintrag|Položka Exchange"),
            flag("IsPartyDeleted", "Is Party Deleted|Partei gelöscht|Účastník odstránený"),
            moment("ScheduledStart", "Scheduled Start|Geplanter Beginn|Plánované začatie"),
            moment("ScheduledEnd", "Scheduled End|Geplantes Ende|Plánované skončenie"),
            identifier("OwnerId", "Owner|Besitzer|Vlastník"),
            version(),
        ],
        code=135,
        set_name="activityparties",
        ownership=Ownership.NONE,
        checks_versions=False,
    )


def _party(entity: str) -> Target:
    user = {"systemuser": "system_user_activity_parties"}
    return Target(entity, user.get(entity, f"{entity}_activity_parties"), delete="NoCascade")
