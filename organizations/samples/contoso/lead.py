"""The entity lead. Facts of names, types and statuses are those of Microsoft's public reference."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    choice,
    customer,
    day,
    flag,
    floating,
    key,
    line,
    lookup,
    memo,
    moment,
    money,
    name,
    read_only,
    required,
    state,
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
)
from organizations.samples.contoso.options import (
    BUDGETS,
    CONTACTED,
    INDUSTRIES,
    LEAD_SOURCES,
    NEEDS,
    PURCHASE_TIMES,
    PURCHASE_WAYS,
)
from organizations.samples.contoso.tables import table
from organizations.schema import Entity, RequiredLevel

_STATES = {
    0: ("Open|Offen|Otvorený", 1),
    1: ("Qualified|Qualifiziert|Kvalifikovaný", 3),
    2: ("Disqualified|Nicht qualifiziert|Diskvalifikovaný", 4),
}
_STATUSES = {
    1: (0, "New|Neu|Nový"),
    2: (0, "Contacted|Kontaktiert|Kontaktovaný"),
    3: (1, "Qualified|Qualifiziert|Kvalifikovaný"),
    4: (2, "Lost|Verloren|Stratený"),
    5: (2, "Cannot Contact|Kontakt nicht möglich|Nedá sa kontaktovať"),
    6: (2, "No Longer Interested|Nicht mehr interessiert|Nemá už záujem"),
    7: (2, "Canceled|Abgesagt|Zrušený"),
}
_QUALITY = ("Hot|Heiß|Horúci", "Warm|Warm|Teplý", "Cold|Kalt|Studený")


def lead() -> Entity:
    """Make the entity of possible customers."""
    return table(
        "Lead",
        ("Lead|Lead|Záujemca", "Leads|Leads|Záujemcovia"),
        [
            key("LeadId", "Lead|Lead|Záujemca"),
            *_names(),
            *_company(),
            *_qualification(),
            *_links(),
            memo("Description", "Description|Beschreibung|Popis"),
            *contacting(),
            line("MobilePhone", 20, "Mobile Phone|Mobiltelefon|Mobilný telefón", "Phone"),
            *address(1, kinds=DEFAULT),
            shipping(1),
            *currency("lead"),
            *picture(),
            *state(_STATES, _STATUSES),
            *owned("leads", "lead_owning_user", "lead_owning_team"),
            *audit("lead"),
            *imported(),
        ],
        code=4,
        set_name="leads",
        tracks_changes=True,
    )


def _names() -> list[Column]:
    return [
        read_only(name(line("FullName", 160, "Name|Name|Meno"))),
        required(line("Subject", 300, "Topic|Thema|Téma")),
        line("Salutation", 100, "Salutation|Anrede|Oslovenie"),
        required(
            line("FirstName", 50, "First Name|Vorname|Krstné meno"), RequiredLevel.RECOMMENDED
        ),
        line("MiddleName", 50, "Middle Name|Zweiter Vorname|Stredné meno"),
        required(line("LastName", 50, "Last Name|Nachname|Priezvisko")),
        line("JobTitle", 100, "Job Title|Position|Pracovná pozícia"),
    ]


def _company() -> list[Column]:
    return [
        required(
            line("CompanyName", 100, "Company Name|Firmenname|Názov spoločnosti"),
            RequiredLevel.RECOMMENDED,
        ),
        choice("IndustryCode", "Industry|Branche|Odvetvie", INDUSTRIES),
        line("SIC", 20, "SIC Code|NACE-Code|Kód SIC"),
        whole(
            "NumberOfEmployees",
            "No. of Employees|Anzahl der Mitarbeiter|Počet zamestnancov",
            0,
            10**6,
        ),
        money("Revenue", "Annual Revenue|Jahresumsatz|Ročné výnosy", 10**14),
    ]


def _qualification() -> list[Column]:
    return [
        choice("LeadQualityCode", "Rating|Bewertung|Hodnotenie", _QUALITY, default=2),
        choice("LeadSourceCode", "Lead Source|Leadquelle|Zdroj záujemcu", LEAD_SOURCES),
        choice("PriorityCode", "Priority|Priorität|Priorita", DEFAULT, default=1),
        choice(
            "SalesStageCode",
            "Sales Stage Code|Vertriebsphasencode|Kód fázy predaja",
            DEFAULT,
            default=1,
        ),
        choice("BudgetStatus", "Budget|Budget|Rozpočet", BUDGETS, first=0, shared="budgetstatus"),
        choice("Need", "Need|Bedarf|Potreba", NEEDS, first=0, shared="need"),
        choice(
            "PurchaseTimeFrame",
            "Purchase Timeframe|Kaufzeitrahmen|Časový rámec nákupu",
            PURCHASE_TIMES,
            first=0,
            shared="purchasetimeframe",
        ),
        choice(
            "PurchaseProcess",
            "Purchase Process|Kaufvorgang|Proces nákupu",
            PURCHASE_WAYS,
            first=0,
            shared="purchaseprocess",
        ),
        choice(
            "InitialCommunication",
            "Initial Communication|Erste Kommunikation|Prvá komunikácia",
            CONTACTED,
            first=0,
            shared="initialcommunication",
        ),
        *_estimates(),
    ]


def _estimates() -> list[Column]:
    follow_up = "Schedule Follow Up ({0})|Nachverfolgung planen ({1})|Naplánovať sledovanie ({2})"
    qualify = follow_up.format("Qualify", "Qualifizieren", "kvalifikácia")
    prospect = follow_up.format("Prospect", "Interessent", "záujemca")
    old = "Est. Value (deprecated)|Gesch. Wert (veraltet)|Odhadovaná hodnota (zastarané)"
    return [
        flag("DecisionMaker", "Decision Maker?|Entscheidungsträger?|Rozhodovateľ?"),
        flag("ConfirmInterest", "Confirm Interest|Interesse bestätigen|Potvrdiť záujem"),
        flag("EvaluateFit", "Evaluate Fit|Eignung bewerten|Vyhodnotiť vhodnosť"),
        memo(
            "QualificationComments",
            "Qualification Comments|Kommentare zur Qualifikation|Poznámky ku kvalifikácii",
        ),
        money("BudgetAmount", "Budget Amount|Budgetbetrag|Výška rozpočtu", 10**12),
        money("EstimatedAmount", "Est. Value|Gesch. Wert|Odhadovaná hodnota", 10**12),
        floating("EstimatedValue", old, 0, 10**9, 2),
        day(
            "EstimatedCloseDate",
            "Est. Close Date|Vorauss. Abschlussdatum|Odhadovaný dátum uzavretia",
        ),
        moment("ScheduleFollowUp_Qualify", qualify, "DateOnly"),
        moment("ScheduleFollowUp_Prospect", prospect, "DateOnly"),
    ]


def _links() -> list[Column]:
    return [
        customer(
            "CustomerId",
            "Customer|Kunde|Zákazník",
            Target("account", "lead_customer_accounts", delete="Cascade"),
            Target("contact", "lead_customer_contacts", delete="Cascade"),
        ),
        lookup(
            "ParentAccountId",
            "Parent Account for lead|Übergeordnete Firma des Leads|Nadradená firma záujemcu",
            Target("account", "lead_parent_account"),
        ),
        lookup(
            "ParentContactId",
            "Parent Contact for lead|Übergeordneter Kontakt des Leads|Nadradený kontakt záujemcu",
            Target("contact", "lead_parent_contact"),
        ),
        read_only(
            lookup(
                "MasterId",
                "Master ID|Master-ID|ID hlavného záznamu",
                Target("lead", "lead_master_lead"),
            )
        ),
        read_only(flag("Merged", "Merged|Zusammengeführt|Zlúčené")),
    ]
