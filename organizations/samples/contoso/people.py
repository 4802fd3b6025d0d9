"""Users, teams and business units: what every organization has by itself."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    choice,
    create_only,
    flag,
    floating,
    identifier,
    key,
    line,
    lookup,
    memo,
    name,
    read_only,
    required,
)
from organizations.samples.contoso.common import (
    DEFAULT,
    address,
    audit,
    currency,
    imported,
    picture,
)
from organizations.samples.contoso.tables import table
from organizations.schema import Entity, Ownership, RequiredLevel

_UNIT = "Business Unit|Unternehmenseinheit|Organizačná jednotka"
_ACCESS = (
    "Read-Write|Lesen/Schreiben|Čítanie a zápis",
    "Administrative|Administrativ|Správa",
    "Read|Lesen|Čítanie",
    "Support User|Supportbenutzer|Používateľ podpory",
    "Non-interactive|Nicht interaktiv|Neinteraktívny",
    "Delegated Admin|Delegierter Administrator|Delegovaný správca",
)
_LICENCES = (
    "Professional|Professional|Profesionálna",
    "Administrative|Administrativ|Správcovská",
    "Basic|Basic|Základná",
    "Device Professional|Gerät Professional|Profesionálna pre zariadenie",
    "Device Basic|Gerät Basic|Základná pre zariadenie",
    "Essential|Essential|Nevyhnutná",
    "Device Essential|Gerät Essential|Nevyhnutná pre zariadenie",
    "Enterprise|Enterprise|Podniková",
)
_APPROVALS = (
    "Empty|Leer|Prázdne",
    "Approved|Genehmigt|Schválené",
    "Pending Approval|Genehmigung ausstehend|Čaká na schválenie",
    "Rejected|Abgelehnt|Zamietnuté",
)
_TEAM_KINDS = (
    "Owner|Besitzer|Vlastník",
    "Access|Zugriff|Prístup",
    "Security Group|Sicherheitsgruppe|Skupina zabezpečenia",
    "Office Group|Office-Gruppe|Skupina Office",
)
_MEMBERSHIPS = (
    "Members and guests|Mitglieder und Gäste|Členovia a hostia",
    "Members|Mitglieder|Členovia",
    "Owners|Besitzer|Vlastníci",
    "Guests|Gäste|Hostia",
)


def systemuser() -> Entity:
    """Make the entity of users."""
    return table(
        "SystemUser",
        ("User|Benutzer|Používateľ", "Users|Benutzer|Používatelia"),
        [
            key("SystemUserId", "User|Benutzer|Používateľ"),
            *_user_names(),
            *_user_accounts(),
            *_user_settings(),
            _unit("business_unit_system_users"),
            lookup(
                "ParentSystemUserId",
                "Manager|Vorgesetzter|Nadriadený",
                Target("systemuser", "user_parent_user", delete="NoCascade"),
            ),
            *address(1, kinds=DEFAULT),
            *currency("systemuser", "NoCascade"),
            *picture(),
            *audit("systemuser"),
            *imported(),
        ],
        code=8,
        set_name="systemusers",
        ownership=Ownership.BUSINESS,
        tracks_changes=True,
    )


def _unit(relationship: str) -> Column:
    return required(
        lookup("BusinessUnitId", _UNIT, Target("businessunit", relationship, delete="Restrict")),
        RequiredLevel.SYSTEM,
    )


def _user_names() -> list[Column]:
    return [
        read_only(name(line("FullName", 200, "Full Name|Vollständiger Name|Celé meno"))),
        required(line("FirstName", 256, "First Name|Vorname|Krstné meno")),
        line("MiddleName", 50, "Middle Name|Zweiter Vorname|Stredné meno"),
        required(line("LastName", 256, "Last Name|Nachname|Priezvisko")),
        line("NickName", 50, "Nickname|Spitzname|Prezývka"),
        line("Title", 128, "Title|Titel|Titul"),
        line("JobTitle", 100, "Job Title|Position|Pracovná pozícia"),
        line("EmployeeId", 100, "Employee|Mitarbeiter|Zamestnanec"),
        line("HomePhone", 50, "Home Phone|Telefon (privat)|Telefón domov", "Phone"),
        line("MobilePhone", 64, "Mobile Phone|Mobiltelefon|Mobilný telefón", "Phone"),
        line("PhotoUrl", 200, "Photo URL|Foto-URL|Adresa URL fotografie", "Url"),
    ]


def _user_accounts() -> list[Column]:
    primary = "Primary Email|Primäre E-Mail|Primárny e-mail"
    return [
        required(line("DomainName", 1024, "User Name|Benutzername|Používateľské meno")),
        required(line("InternalEMailAddress", 100, primary, "Email")),
        line("PersonalEMailAddress", 100, "Email 2|E-Mail 2|E-mail 2", "Email"),
        line("WindowsLiveID", 1024, "Windows Live ID|Windows Live ID|Windows Live ID"),
        identifier(
            "AzureActiveDirectoryObjectId",
            "Azure AD Object ID|Azure AD-Objekt-ID|ID objektu Azure AD",
        ),
        identifier("ApplicationId", "Application ID|Anwendungs-ID|ID aplikácie"),
    ]


def _user_settings() -> list[Column]:
    approval = "Primary Email Status|Status der primären E-Mail|Stav primárneho e-mailu"
    return [
        choice(
            "AccessMode", "Access Mode|Zugriffsmodus|Režim prístupu", _ACCESS, default=0, first=0
        ),
        choice("CALType", "License Type|Lizenztyp|Typ licencie", _LICENCES, default=0, first=0),
        choice("EmailRouterAccessApproval", approval, _APPROVALS, default=0, first=0),
        flag(
            "IsDisabled",
            "Status|Status|Stav",
            ("Enabled|Aktiviert|Povolený", "Disabled|Deaktiviert|Zakázaný"),
        ),
        flag("IsLicensed", "User Licensed|Benutzer lizenziert|Používateľ má licenciu"),
        flag(
            "IsSyncWithDirectory", "User Synced|Benutzer synchronisiert|Používateľ synchronizovaný"
        ),
        flag(
            "IsIntegrationUser",
            "Integration user mode|Integrationsbenutzermodus|Integračný používateľ",
        ),
        flag("SetupUser", "Restricted Access Mode|Eingeschränkter Zugriff|Obmedzený prístup"),
        flag(
            "DisplayInServiceViews",
            "Display in Service Views|In Serviceansichten|V zobrazeniach služieb",
        ),
    ]


def team() -> Entity:
    """Make the entity of teams."""
    return table(
        "Team",
        ("Team|Team|Tím", "Teams|Teams|Tímy"),
        [
            key("TeamId", "Team|Team|Tím"),
            required(
                name(line("Name", 160, "Team Name|Teamname|Názov tímu")), RequiredLevel.SYSTEM
            ),
            memo("Description", "Description|Beschreibung|Popis"),
            line("EMailAddress", 100, "Email|E-Mail|E-mail", "Email"),
            _unit("business_unit_teams"),
            required(
                lookup(
                    "AdministratorId",
                    "Administrator|Administrator|Správca",
                    Target("systemuser", "lk_teambase_administratorid", delete="NoCascade"),
                ),
                RequiredLevel.SYSTEM,
            ),
            create_only(
                choice("TeamType", "Team Type|Teamtyp|Typ tímu", _TEAM_KINDS, default=0, first=0)
            ),
            create_only(
                choice(
                    "MembershipType",
                    "Membership Type|Mitgliedschaftstyp|Typ členstva",
                    _MEMBERSHIPS,
                    first=0,
                )
            ),
            read_only(flag("IsDefault", "Is Default|Ist Standard|Je predvolený")),
            create_only(
                identifier(
                    "AzureActiveDirectoryObjectId",
                    "Object Id for a group|Objekt-ID der Gruppe|ID objektu skupiny",
                )
            ),
            *currency("team", "NoCascade"),
            *audit("team"),
            *imported(),
        ],
        code=9,
        set_name="teams",
        ownership=Ownership.BUSINESS,
        tracks_changes=True,
    )


def businessunit() -> Entity:
    """Make the entity of business units. It does not track changes: readers must fall back."""
    return table(
        "BusinessUnit",
        (_UNIT, "Business Units|Unternehmenseinheiten|Organizačné jednotky"),
        [
            key("BusinessUnitId", _UNIT),
            required(name(line("Name", 160, "Name|Name|Názov")), RequiredLevel.SYSTEM),
            line("DivisionName", 100, "Division|Abteilung|Divízia"),
            memo("Description", "Description|Beschreibung|Popis"),
            lookup(
                "ParentBusinessUnitId",
                "Parent Business|Übergeordnete Einheit|Nadradená jednotka",
                Target("businessunit", "business_unit_parent_business_unit", delete="Restrict"),
            ),
            line("EMailAddress", 100, "Email|E-Mail|E-mail", "Email"),
            line("WebSiteUrl", 200, "Website|Website|Webová stránka", "Url"),
            line("CostCenter", 100, "Cost Center|Kostenstelle|Nákladové stredisko"),
            floating("CreditLimit", "Credit Limit|Kreditlimit|Úverový limit", 0, 10**9, 2),
            read_only(flag("IsDisabled", "Is Disabled|Ist deaktiviert|Je zakázaná")),
            line("DisabledReason", 500, "Disable Reason|Deaktivierungsgrund|Dôvod zakázania"),
            *address(1, kinds=DEFAULT),
            *currency("businessunit", "NoCascade"),
            *audit("businessunit"),
            *imported(),
        ],
        code=10,
        set_name="businessunits",
        ownership=Ownership.BUSINESS,
    )
