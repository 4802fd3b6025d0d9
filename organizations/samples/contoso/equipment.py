"""The custom entity new_equipment: machines at customers. It has a column of every type."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    active_state,
    big,
    choice,
    choices,
    customer,
    day,
    flag,
    floating,
    identifier,
    key,
    line,
    lookup,
    memo,
    moment,
    money,
    name,
    number,
    read_only,
    required,
    sourced,
    unstored,
    wall_clock,
    whole,
)
from organizations.samples.contoso.common import audit, currency, imported, owned
from organizations.samples.contoso.tables import table
from organizations.schema import AttributeType, Entity, Source

FIRST_OPTION = 100_000_000
"""Where the numbers of custom choices begin in Dynamics."""

_CATEGORIES = (
    "Forklift|Gabelstapler|Vysokozdvižný vozík",
    "Generator|Generator|Generátor",
    "Compressor|Kompressor|Kompresor",
    "Pump|Pumpe|Čerpadlo",
    "Crane|Kran|Žeriav",
    "Solar inverter|Solarwechselrichter|Solárny menič",
)
_CAPABILITIES = (
    "Remote monitoring|Fernüberwachung|Vzdialené monitorovanie",
    "Outdoor use|Außeneinsatz|Vonkajšie použitie",
    "Explosion-proof|Explosionsgeschützt|Nevýbušné vyhotovenie",
    "Low noise|Geräuscharm|Nízka hlučnosť",
    "Battery operated|Akkubetrieb|Napájanie z batérie",
)


def new_equipment() -> Entity:
    """Make the custom entity of machines."""
    return table(
        "new_Equipment",
        ("Equipment|Anlage|Zariadenie", "Equipment|Anlagen|Zariadenia"),
        [
            key("new_EquipmentId", "Equipment|Anlage|Zariadenie"),
            required(name(line("new_Name", 200, "Name|Name|Názov"))),
            line("new_SerialNumber", 50, "Serial Number|Seriennummer|Sériové číslo"),
            memo("new_Notes", "Notes|Notizen|Poznámky", 20_000),
            line("new_ManualUrl", 200, "Manual URL|Handbuch-URL|Adresa URL príručky", "Url"),
            *_choices(),
            *_numbers(),
            *_times(),
            *_links(),
            *_computed(),
            unstored("new_Photo", AttributeType.IMAGE, "Photo|Foto|Fotografia"),
            unstored("new_Manual", AttributeType.FILE, "Manual|Handbuch|Príručka"),
            *currency("new_equipment"),
            *active_state(),
            *owned("new_equipment"),
            *audit("new_equipment"),
            *imported(),
        ],
        code=10_042,
        set_name="new_equipments",
        tracks_changes=True,
    )


def _choices() -> list[Column]:
    return [
        choice("new_Category", "Category|Kategorie|Kategória", _CATEGORIES, first=FIRST_OPTION),
        choices(
            "new_Capabilities",
            "Capabilities|Fähigkeiten|Vlastnosti",
            _CAPABILITIES,
            first=FIRST_OPTION,
            shared="new_capability",
        ),
        flag(
            "new_IsRented",
            "Rented|Gemietet|Prenajaté",
            ("Owned|Eigentum|Vlastné", "Rented|Gemietet|Prenajaté"),
        ),
    ]


def _numbers() -> list[Column]:
    return [
        whole("new_Quantity", "Quantity|Menge|Množstvo", 0, 10_000),
        big("new_CycleCount", "Cycle Count|Anzahl der Zyklen|Počet cyklov"),
        number("new_Weight", "Weight (kg)|Gewicht (kg)|Hmotnosť (kg)", 0, 10**6, 3),
        floating(
            "new_Temperature", "Temperature (°C)|Temperatur (°C)|Teplota (°C)", -273.15, 5000, 4
        ),
        money("new_PurchasePrice", "Purchase Price|Kaufpreis|Nákupná cena", 10**9),
        identifier("new_AssetTag", "Asset Tag|Inventar-ID|Inventárne ID"),
    ]


def _times() -> list[Column]:
    return [
        moment("new_InstalledOn", "Installed On|Installiert am|Nainštalované"),
        day("new_WarrantyUntil", "Warranty Until|Garantie bis|Záruka do"),
        wall_clock("new_InspectionTime", "Next Inspection|Nächste Prüfung|Najbližšia kontrola"),
    ]


def _links() -> list[Column]:
    return [
        lookup("new_ParentEquipmentId", "Part Of|Teil von|Súčasť", "new_equipment"),
        customer("new_CustomerId", "Customer|Kunde|Zákazník", "account", "contact"),
        lookup("new_TechnicianId", "Technician|Techniker|Technik", "systemuser"),
    ]


def _computed() -> list[Column]:
    age = whole("new_AgeInDays", "Age (days)|Alter (Tage)|Vek (dni)", 0)
    cost = money("new_ServiceCost", "Service Cost|Servicekosten|Náklady na servis")
    density = number("new_PricePerKilogram", "Price per kg|Preis je kg|Cena za kg", 0, 10**9, 4)
    when = moment(
        "new_ServiceCost_Date",
        "Service Cost updated|Servicekosten aktualisiert|Náklady aktualisované",
    )
    return [
        sourced(age, Source.CALCULATED),
        sourced(cost, Source.ROLLUP),
        sourced(density, Source.FORMULA),
        read_only(when),
    ]
