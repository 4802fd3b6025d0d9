"""Columns that many entities share: who wrote a record and when, owner, currency, addresses."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    big,
    choice,
    create_only,
    flag,
    floating,
    identifier,
    line,
    lookup,
    moment,
    number,
    owner,
    read_only,
    unstored,
    whole,
)
from organizations.samples.contoso.labels import joined
from organizations.schema import AttributeType

ALLOW = ("Allow|Zulassen|Povoliť", "Do Not Allow|Nicht zulassen|Nepovoliť")
DEFAULT = ("Default Value|Standardwert|Predvolená hodnota",)
USER = "systemuser"

ADDRESS_KINDS = (
    "Bill To|Rechnungsadresse|Fakturačná",
    "Ship To|Lieferadresse|Dodacia",
    "Primary|Primär|Primárna",
    "Other|Sonstige|Iná",
)
SHIPPING = (
    "Airborne|Luftfracht|Letecky",
    "DHL|DHL|DHL",
    "FedEx|FedEx|FedEx",
    "UPS|UPS|UPS",
    "Postal Mail|Post|Pošta",
    "Full Load|Komplettladung|Celý náklad",
    "Will Call|Selbstabholung|Osobný odber",
)


def audit(entity: str, *, delegates: bool = True) -> list[Column]:
    """Make the columns that say who wrote a record and when, and its row version."""
    base = f"lk_{entity}base" if not entity.startswith("new_") else f"lk_{entity}"
    people = [
        _person("CreatedBy", "Created By|Erstellt von|Vytvoril", f"{base}_createdby"),
        _person("ModifiedBy", "Modified By|Geändert von|Upravil", f"{base}_modifiedby"),
    ]
    if delegates:
        people += _delegates(base)
    return [
        *people,
        read_only(moment("CreatedOn", "Created On|Erstellt am|Vytvorené")),
        read_only(moment("ModifiedOn", "Modified On|Geändert am|Upravené")),
        version(),
    ]


def _delegates(base: str) -> list[Column]:
    return [
        _person(
            "CreatedOnBehalfBy",
            "Created By (Delegate)|Erstellt von (Stellvertreter)|Vytvoril (zástupca)",
            f"{base}_createdonbehalfby",
        ),
        _person(
            "ModifiedOnBehalfBy",
            "Modified By (Delegate)|Geändert von (Stellvertreter)|Upravil (zástupca)",
            f"{base}_modifiedonbehalfby",
        ),
    ]


def _person(schema_name: str, text: str, relationship: str) -> Column:
    target = Target(USER, relationship, schema_name.lower(), "NoCascade")
    return read_only(lookup(schema_name, text, target))


def version() -> Column:
    """Make the column of the row version."""
    return read_only(big("VersionNumber", "Version Number|Versionsnummer|Číslo verzie"))


def imported() -> list[Column]:
    """Make the columns an import fills and the ones that keep a user's time zone."""
    return [
        create_only(
            moment(
                "OverriddenCreatedOn",
                "Record Created On|Datensatz erstellt am|Záznam vytvorený",
                "DateOnly",
            )
        ),
        create_only(
            whole(
                "ImportSequenceNumber",
                "Import Sequence Number|Importsequenznummer|Poradové číslo importu",
            )
        ),
        whole(
            "UTCConversionTimeZoneCode",
            "UTC Conversion Time Zone Code|Zeitzonencode für UTC-Umrechnung"
            "|Kód časového pásma na prevod UTC",
            -1,
        ),
    ]


def owned(plural: str, user: str = "", team: str = "") -> list[Column]:
    """Make the columns that say who owns a record; `plural` is the tail of relationship names."""
    unit = Target("businessunit", f"business_unit_{plural}", "owningbusinessunit", "NoCascade")
    user_target = Target(USER, user or f"user_{plural}", "owninguser", "NoCascade")
    team_target = Target("team", team or f"team_{plural}", "owningteam", "NoCascade")
    return [
        owner("OwnerId", "Owner|Besitzer|Vlastník", f"owner_{plural}"),
        read_only(
            lookup(
                "OwningBusinessUnit",
                "Owning Business Unit|Zuständige Unternehmenseinheit"
                "|Vlastniaca organizačná jednotka",
                unit,
            )
        ),
        read_only(
            lookup(
                "OwningUser", "Owning User|Besitzender Benutzer|Vlastniaci používateľ", user_target
            )
        ),
        read_only(lookup("OwningTeam", "Owning Team|Besitzendes Team|Vlastniaci tím", team_target)),
    ]


def currency(entity: str, delete: str = "Restrict") -> list[Column]:
    """Make the currency of a record's amounts and its rate on the day of writing."""
    target = Target("transactioncurrency", f"transactioncurrency_{entity}", delete=delete)
    rate = number("ExchangeRate", "Exchange Rate|Wechselkurs|Výmenný kurz", 1e-10, 1e11, 10)
    return [lookup("TransactionCurrencyId", "Currency|Währung|Mena", target), read_only(rate)]


def address(position: int, *, kinds: tuple[str, ...] = ADDRESS_KINDS) -> list[Column]:
    """Make the columns of one of the addresses a record holds itself."""
    head, place = f"Address{position}_", f"Address {position}|Adresse {position}|Adresa {position}"

    def says(text: str) -> str:
        return joined(place, text)

    return [
        choice(
            f"{head}AddressTypeCode", says("Address Type|Adresstyp|Typ adresy"), kinds, default=1
        ),
        line(f"{head}Line2", 250, says("Street 2|Straße 2|Ulica 2")),
        line(f"{head}Line3", 250, says("Street 3|Straße 3|Ulica 3")),
        *short_address(position),
        line(f"{head}StateOrProvince", 50, says("State/Province|Bundesland/Kanton|Kraj")),
        floating(f"{head}Latitude", says("Latitude|Breitengrad|Zemepisná šírka"), -90, 90, 5),
        floating(f"{head}Longitude", says("Longitude|Längengrad|Zemepisná dĺžka"), -180, 180, 5),
    ]


def short_address(position: int) -> list[Column]:
    """Make only the columns of an address that a letter needs."""
    head, place = f"Address{position}_", f"Address {position}|Adresse {position}|Adresa {position}"
    street = joined(place, "Street 1|Straße 1|Ulica 1")
    code = joined(place, "ZIP/Postal Code|Postleitzahl|PSČ")
    return [
        line(f"{head}Line1", 250, street),
        line(f"{head}City", 80, joined(place, "City|Ort|Mesto")),
        line(f"{head}PostalCode", 20, code),
        line(f"{head}Country", 80, joined(place, "Country/Region|Land/Region|Krajina/oblasť")),
    ]


def shipping(position: int) -> Column:
    """Make the shipping method of an address."""
    text = joined(
        f"Address {position}|Adresse {position}|Adresa {position}",
        "Shipping Method|Versandmethode|Spôsob dopravy",
    )
    return choice(f"Address{position}_ShippingMethodCode", text, SHIPPING, default=1)


def contacting(*, phones: bool = True) -> list[Column]:
    """Make e-mail addresses, telephone numbers, and which ways of contacting are allowed."""
    bulk = "Do not allow Bulk Emails|Massen-E-Mails nicht zulassen|Nepovoliť hromadné e-maily"
    return [
        line("EMailAddress1", 100, "Email|E-Mail|E-mail", "Email"),
        line("EMailAddress2", 100, "Email Address 2|E-Mail-Adresse 2|E-mailová adresa 2", "Email"),
        line("EMailAddress3", 100, "Email Address 3|E-Mail-Adresse 3|E-mailová adresa 3", "Email"),
        *(_phones() if phones else []),
        line("Fax", 50, "Fax|Fax|Fax"),
        line("WebSiteUrl", 200, "Website|Website|Webová stránka", "Url"),
        flag("DoNotEMail", "Do not allow Emails|E-Mails nicht zulassen|Nepovoliť e-maily", ALLOW),
        flag("DoNotBulkEMail", bulk, ALLOW),
        flag(
            "DoNotPhone", "Do not allow Phone Calls|Anrufe nicht zulassen|Nepovoliť hovory", ALLOW
        ),
        flag("DoNotFax", "Do not allow Faxes|Faxe nicht zulassen|Nepovoliť faxy", ALLOW),
        flag("DoNotPostalMail", "Do not allow Mails|Briefe nicht zulassen|Nepovoliť poštu", ALLOW),
        choice(
            "PreferredContactMethodCode",
            "Preferred Method of Contact|Bevorzugte Kontaktmethode|Preferovaný spôsob kontaktu",
            (
                "Any|Beliebig|Akýkoľvek",
                "Email|E-Mail|E-mail",
                "Phone|Telefon|Telefón",
                "Fax|Fax|Fax",
                "Mail|Post|Pošta",
            ),
            default=1,
        ),
    ]


def _phones() -> list[Column]:
    return [
        line("Telephone1", 50, "Main Phone|Haupttelefon|Hlavný telefón", "Phone"),
        line("Telephone2", 50, "Other Phone|Weiteres Telefon|Iný telefón", "Phone"),
        line("Telephone3", 50, "Telephone 3|Telefon 3|Telefón 3", "Phone"),
    ]


def picture() -> list[Column]:
    """Make the columns of a record's picture."""
    return [
        unstored("EntityImage", AttributeType.IMAGE, "Picture|Bild|Obrázok"),
        read_only(identifier("EntityImageId", "Picture Id|Bild-ID|ID obrázka")),
    ]
