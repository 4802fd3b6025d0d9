"""The entity account."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    active_state,
    choice,
    flag,
    key,
    line,
    lookup,
    memo,
    moment,
    money,
    name,
    read_only,
    required,
    sourced,
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
from organizations.samples.contoso.options import INDUSTRIES, PAYMENT_TERMS
from organizations.samples.contoso.tables import alternate_key, table
from organizations.schema import Entity, Source

_PURPOSES = (
    "Competitor|Mitbewerber|Konkurent",
    "Consultant|Berater|Konzultant",
    "Customer|Kunde|Zákazník",
    "Investor|Investor|Investor",
    "Partner|Partner|Partner",
    "Influencer|Meinungsbildner|Ovplyvňovateľ",
    "Press|Presse|Tlač",
    "Prospect|Potenzieller Kunde|Potenciálny zákazník",
    "Reseller|Wiederverkäufer|Predajca",
    "Supplier|Lieferant|Dodávateľ",
    "Vendor|Verkäufer|Obchodník",
    "Other|Sonstige|Iné",
)
_OWNERSHIP = (
    "Public|Börsennotiert|Verejná",
    "Private|Privat|Súkromná",
    "Subsidiary|Tochtergesellschaft|Dcérska",
    "Other|Sonstige|Iná",
)
_CATEGORIES = (
    "Preferred Customer|Bevorzugter Kunde|Preferovaný zákazník",
    "Standard|Standard|Štandardný",
)


def account() -> Entity:
    """Make the entity of companies."""
    return table(
        "Account",
        ("Account|Firma|Firma", "Accounts|Firmen|Firmy"),
        [
            key("AccountId", "Account|Firma|Firma"),
            required(name(line("Name", 160, "Account Name|Firmenname|Názov firmy"))),
            line("AccountNumber", 20, "Account Number|Kundennummer|Číslo firmy"),
            *_classification(),
            *_figures(),
            *_links(),
            memo("Description", "Description|Beschreibung|Popis"),
            *contacting(),
            line("FtpSiteURL", 200, "FTP Site|FTP-Site|Lokalita FTP", "Url"),
            *address(1),
            shipping(1),
            *short_address(2),
            *currency("account"),
            *picture(),
            *active_state(),
            *owned("accounts"),
            *audit("account"),
            *imported(),
        ],
        code=1,
        set_name="accounts",
        tracks_changes=True,
        keys=(
            alternate_key(
                "new_AccountNumber_Key", "Account Number|Kundennummer|Číslo firmy", "accountnumber"
            ),
        ),
    )


def _classification() -> list[Column]:
    return [
        choice("AccountCategoryCode", "Category|Kategorie|Kategória", _CATEGORIES),
        choice(
            "AccountClassificationCode",
            "Classification|Klassifizierung|Klasifikácia",
            DEFAULT,
            default=1,
        ),
        choice(
            "AccountRatingCode",
            "Account Rating|Firmenbewertung|Hodnotenie firmy",
            DEFAULT,
            default=1,
        ),
        choice(
            "BusinessTypeCode", "Business Type|Unternehmenstyp|Typ podnikania", DEFAULT, default=1
        ),
        choice(
            "CustomerSizeCode", "Customer Size|Kundengröße|Veľkosť zákazníka", DEFAULT, default=1
        ),
        choice("CustomerTypeCode", "Relationship Type|Beziehungstyp|Typ vzťahu", _PURPOSES),
        choice("IndustryCode", "Industry|Branche|Odvetvie", INDUSTRIES),
        choice("OwnershipCode", "Ownership|Besitz|Vlastníctvo", _OWNERSHIP),
        choice(
            "PaymentTermsCode",
            "Payment Terms|Zahlungsbedingungen|Platobné podmienky",
            PAYMENT_TERMS,
        ),
        choice("TerritoryCode", "Territory Code|Gebietscode|Kód oblasti", DEFAULT, default=1),
        line("SIC", 20, "SIC Code|NACE-Code|Kód SIC"),
        line("TickerSymbol", 10, "Ticker Symbol|Börsensymbol|Burzový symbol", "TickerSymbol"),
        line("StockExchange", 20, "Stock Exchange|Börse|Burza"),
    ]


def _figures() -> list[Column]:
    open_revenue = money("OpenRevenue", "Open Revenue|Offener Umsatz|Otvorené výnosy")
    deals = whole("OpenDeals", "Open Deals|Offene Geschäfte|Otvorené obchody")
    return [
        money("Revenue", "Annual Revenue|Jahresumsatz|Ročné výnosy", 10**14),
        money("CreditLimit", "Credit Limit|Kreditlimit|Úverový limit", 10**11),
        flag("CreditOnHold", "Credit Hold|Kreditsperre|Pozastavenie úveru"),
        money(
            "MarketCap", "Market Capitalization|Marktkapitalisierung|Trhová kapitalizácia", 10**14
        ),
        whole(
            "NumberOfEmployees",
            "Number of Employees|Anzahl der Mitarbeiter|Počet zamestnancov",
            0,
            10**9,
        ),
        whole("SharesOutstanding", "Shares Outstanding|Ausgegebene Aktien|Vydané akcie", 0, 10**9),
        sourced(open_revenue, Source.ROLLUP),
        sourced(deals, Source.ROLLUP),
        moment(
            "LastUsedInCampaign",
            "Last Date Included in Campaign|Zuletzt in Kampagne|Naposledy v kampani",
            "DateOnly",
        ),
    ]


def _links() -> list[Column]:
    return [
        lookup(
            "ParentAccountId",
            "Parent Account|Übergeordnete Firma|Nadradená firma",
            Target("account", "account_parent_account"),
        ),
        lookup(
            "PrimaryContactId",
            "Primary Contact|Primärer Kontakt|Hlavný kontakt",
            Target("contact", "account_primary_contact"),
        ),
        lookup(
            "OriginatingLeadId",
            "Originating Lead|Ursprünglicher Lead|Pôvodný záujemca",
            Target("lead", "account_originating_lead"),
        ),
        lookup(
            "PreferredSystemUserId",
            "Preferred User|Bevorzugter Benutzer|Preferovaný používateľ",
            Target("systemuser", "system_user_accounts"),
        ),
        read_only(
            lookup(
                "MasterId",
                "Master ID|Master-ID|ID hlavného záznamu",
                Target("account", "account_master_account"),
            )
        ),
        read_only(flag("Merged", "Merged|Zusammengeführt|Zlúčené")),
    ]
