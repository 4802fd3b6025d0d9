"""The entity contact."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    active_state,
    choice,
    customer,
    day,
    flag,
    key,
    line,
    lookup,
    memo,
    money,
    name,
    read_only,
    required,
    whole,
)
from organizations.samples.contoso.common import (
    DEFAULT,
    address,
    audit,
    contacting,
    currency,
    imported,
    owned,
    picture,
    shipping,
    short_address,
)
from organizations.samples.contoso.options import PAYMENT_TERMS
from organizations.samples.contoso.tables import table
from organizations.schema import Entity, RequiredLevel

_MARITAL = (
    "Single|Ledig|Slobodný(á)",
    "Married|Verheiratet|Ženatý/vydatá",
    "Divorced|Geschieden|Rozvedený(á)",
    "Widowed|Verwitwet|Vdovec/vdova",
)
_ROLES = (
    "Decision Maker|Entscheidungsträger|Rozhodovateľ",
    "Employee|Mitarbeiter|Zamestnanec",
    "Influencer|Meinungsbildner|Ovplyvňovateľ",
)


def contact() -> Entity:
    """Make the entity of people outside the organization."""
    return table(
        "Contact",
        ("Contact|Kontakt|Kontakt", "Contacts|Kontakte|Kontakty"),
        [
            key("ContactId", "Contact|Kontakt|Kontakt"),
            *_names(),
            *_work(),
            *_private(),
            *_links(),
            memo("Description", "Description|Beschreibung|Popis"),
            *contacting(),
            line("MobilePhone", 50, "Mobile Phone|Mobiltelefon|Mobilný telefón", "Phone"),
            line("Pager", 50, "Pager|Pager|Pager"),
            *address(1),
            shipping(1),
            *short_address(2),
            *currency("contact"),
            *picture(),
            *active_state(),
            *owned("contacts", "contact_owning_user"),
            *audit("contact"),
            *imported(),
        ],
        code=2,
        set_name="contacts",
        tracks_changes=True,
    )


def _names() -> list[Column]:
    return [
        read_only(name(line("FullName", 160, "Full Name|Vollständiger Name|Celé meno"))),
        line("Salutation", 100, "Salutation|Anrede|Oslovenie"),
        required(
            line("FirstName", 50, "First Name|Vorname|Krstné meno"), RequiredLevel.RECOMMENDED
        ),
        line("MiddleName", 50, "Middle Name|Zweiter Vorname|Stredné meno"),
        required(line("LastName", 50, "Last Name|Nachname|Priezvisko")),
        line("Suffix", 10, "Suffix|Namenszusatz|Prípona"),
        line("NickName", 100, "Nickname|Spitzname|Prezývka"),
    ]


def _work() -> list[Column]:
    return [
        line("JobTitle", 100, "Job Title|Position|Pracovná pozícia"),
        line("Department", 100, "Department|Abteilung|Oddelenie"),
        choice("AccountRoleCode", "Role|Rolle|Rola", _ROLES),
        choice(
            "CustomerTypeCode", "Relationship Type|Beziehungstyp|Typ vzťahu", DEFAULT, default=1
        ),
        choice(
            "PaymentTermsCode",
            "Payment Terms|Zahlungsbedingungen|Platobné podmienky",
            PAYMENT_TERMS,
        ),
        choice("LeadSourceCode", "Lead Source|Leadquelle|Zdroj záujemcu", DEFAULT, default=1),
        line("ManagerName", 100, "Manager|Vorgesetzter|Nadriadený"),
        line(
            "ManagerPhone",
            50,
            "Manager Phone|Telefon des Vorgesetzten|Telefón nadriadeného",
            "Phone",
        ),
        line("AssistantName", 100, "Assistant|Assistent|Asistent"),
        line(
            "AssistantPhone",
            50,
            "Assistant Phone|Telefon des Assistenten|Telefón asistenta",
            "Phone",
        ),
        line("EmployeeId", 50, "Employee|Mitarbeiter|Zamestnanec"),
        money("CreditLimit", "Credit Limit|Kreditlimit|Úverový limit", 10**11),
        flag("CreditOnHold", "Credit Hold|Kreditsperre|Pozastavenie úveru"),
    ]


def _private() -> list[Column]:
    return [
        day("BirthDate", "Birthday|Geburtstag|Dátum narodenia"),
        day("Anniversary", "Anniversary|Jahrestag|Výročie"),
        choice(
            "GenderCode",
            "Gender|Geschlecht|Pohlavie",
            ("Male|Männlich|Muž", "Female|Weiblich|Žena"),
        ),
        choice("FamilyStatusCode", "Marital Status|Familienstand|Rodinný stav", _MARITAL),
        line("SpousesName", 100, "Spouse/Partner Name|Name des Partners|Meno partnera"),
        whole("NumberOfChildren", "No. of Children|Anzahl der Kinder|Počet detí", 0, 10**9),
        line("ChildrensNames", 255, "Children's Names|Namen der Kinder|Mená detí"),
        line("GovernmentId", 50, "Government|Ausweisnummer|Číslo preukazu"),
        money("AnnualIncome", "Annual Income|Jahreseinkommen|Ročný príjem", 10**11),
    ]


def _links() -> list[Column]:
    return [
        customer(
            "ParentCustomerId",
            "Company Name|Firmenname|Názov spoločnosti",
            Target("account", "contact_customer_accounts", delete="Cascade"),
            Target("contact", "contact_customer_contacts", delete="Cascade"),
        ),
        lookup(
            "OriginatingLeadId",
            "Originating Lead|Ursprünglicher Lead|Pôvodný záujemca",
            Target("lead", "contact_originating_lead"),
        ),
        lookup(
            "PreferredSystemUserId",
            "Preferred User|Bevorzugter Benutzer|Preferovaný používateľ",
            Target("systemuser", "system_user_contacts"),
        ),
        read_only(
            lookup(
                "MasterId",
                "Master ID|Master-ID|ID hlavného záznamu",
                Target("contact", "contact_master_contact"),
            )
        ),
        read_only(flag("Merged", "Merged|Zusammengeführt|Zlúčené")),
    ]
