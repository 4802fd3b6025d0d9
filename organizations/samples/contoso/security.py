"""Security roles, privileges, and the pairs that grant them."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    Target,
    choice,
    create_only,
    flag,
    identifier,
    key,
    line,
    lookup,
    moment,
    name,
    read_only,
    required,
    unstored,
    whole,
)
from organizations.samples.contoso.common import audit, imported, version
from organizations.samples.contoso.tables import table
from organizations.schema import AttributeType, Entity, ManyToMany, Ownership, RequiredLevel

_COMPONENT_STATES = (
    "Published|Veröffentlicht|Publikované",
    "Unpublished|Unveröffentlicht|Nepublikované",
    "Deleted|Gelöscht|Odstránené",
    "Deleted Unpublished|Gelöscht, unveröffentlicht|Odstránené nepublikované",
)
_INHERITANCE = (
    "Team privileges only|Nur Teamrechte|Iba oprávnenia tímu",
    "Direct User (Basic) access level and Team privileges"
    "|Direkter Benutzerzugriff und Teamrechte|Priamy prístup používateľa a oprávnenia tímu",
)


def role() -> Entity:
    """Make the entity of security roles."""
    return table(
        "Role",
        (
            "Security Role|Sicherheitsrolle|Rola zabezpečenia",
            "Security Roles|Sicherheitsrollen|Roly zabezpečenia",
        ),
        [
            key("RoleId", "Role|Rolle|Rola"),
            required(name(line("Name", 100, "Name|Name|Názov")), RequiredLevel.SYSTEM),
            *_place_of_role(),
            *_kind_of_role(),
            *_solution("RoleIdUnique"),
            *audit("role"),
            *imported()[:2],
        ],
        code=1036,
        set_name="roles",
        ownership=Ownership.BUSINESS,
        tracks_changes=True,
    )


def _place_of_role() -> list[Column]:
    unit = lookup(
        "BusinessUnitId",
        "Business Unit|Unternehmenseinheit|Organizačná jednotka",
        Target("businessunit", "business_unit_roles", delete="Restrict"),
    )
    parent = Target("role", "role_parent_role")
    root = Target("role", "role_parent_root_role")
    root_label = "Parent Root Role|Stammrolle|Koreňová rola"
    return [
        create_only(required(unit, RequiredLevel.SYSTEM)),
        read_only(lookup("ParentRoleId", "Parent Role|Übergeordnete Rolle|Nadradená rola", parent)),
        read_only(lookup("ParentRootRoleId", root_label, root)),
    ]


def _kind_of_role() -> list[Column]:
    managed = AttributeType.MANAGED_PROPERTY
    deletable = "Can Be Deleted|Kann gelöscht werden|Možno odstrániť"
    automatic = "Auto-assigned|Automatisch zugewiesen|Automaticky priradená"
    inherits = "Role inherit|Rollenvererbung|Dedenie roly"
    return [
        choice("IsInherited", inherits, _INHERITANCE, default=1, first=0),
        flag("IsAutoAssigned", automatic),
        unstored("CanBeDeleted", managed, deletable),
        unstored("IsCustomizable", managed, "Customizable|Anpassbar|Prispôsobiteľná"),
    ]


def _solution(unique: str) -> list[Column]:
    return [
        read_only(
            flag(
                "IsManaged",
                "State|Zustand|Stav",
                ("Unmanaged|Nicht verwaltet|Nespravované", "Managed|Verwaltet|Spravované"),
            )
        ),
        read_only(
            choice(
                "ComponentState",
                "Component State|Komponentenstatus|Stav komponentu",
                _COMPONENT_STATES,
                first=0,
            )
        ),
        read_only(
            moment("OverwriteTime", "Record Overwrite Time|Überschreibungszeit|Čas prepísania")
        ),
        read_only(identifier("SolutionId", "Solution|Lösung|Riešenie")),
        read_only(identifier(unique, "Unique Id|Eindeutige ID|Jedinečné ID")),
    ]


def privilege() -> Entity:
    """Make the entity of privileges. It does not track changes and is the system's alone."""
    depths = {
        "Basic": "Basic|Benutzer|používateľ",
        "Local": "Local|Einheit|jednotka",
        "Deep": "Deep|Einheit und Untereinheiten|jednotka a podriadené",
        "Global": "Global|Organisation|organizácia",
    }
    return table(
        "Privilege",
        ("Privilege|Recht|Oprávnenie", "Privileges|Rechte|Oprávnenia"),
        [
            key("PrivilegeId", "Privilege|Recht|Oprávnenie"),
            read_only(name(line("Name", 100, "Name|Name|Názov"))),
            read_only(whole("AccessRight", "Access Right|Zugriffsrecht|Prístupové právo")),
            *(
                read_only(flag(f"CanBe{depth}", f"Can Be {_depth(text)}"))
                for depth, text in depths.items()
            ),
            read_only(
                flag(
                    "IsDisabledWhenIntegrated",
                    "Disabled when integrated|Bei Integration deaktiviert|Zakázané pri integrácii",
                )
            ),
            read_only(
                line(
                    "IntroducedVersion",
                    48,
                    "Introduced Version|Eingeführt in Version|Zavedené vo verzii",
                )
            ),
            version(),
        ],
        code=1023,
        set_name="privileges",
        ownership=Ownership.NONE,
        checks_versions=False,
    )


def _depth(text: str) -> str:
    english, german, slovak = text.split("|")
    return f"{english}|Tiefe „{german}“ möglich|Možná hĺbka „{slovak}“"


def roleprivileges() -> Entity:
    """Make the intersect entity of roles and privileges, with the depth granted."""
    return table(
        "RolePrivileges",
        (
            "Role Privilege|Rollenrecht|Oprávnenie roly",
            "Role Privileges|Rollenrechte|Oprávnenia rolí",
        ),
        [
            key("RolePrivilegeId", "Role Privilege|Rollenrecht|Oprávnenie roly"),
            identifier("RoleId", "Role|Rolle|Rola"),
            identifier("PrivilegeId", "Privilege|Recht|Oprávnenie"),
            read_only(
                whole("PrivilegeDepthMask", "Privilege Depth|Tiefe des Rechts|Hĺbka oprávnenia", 0)
            ),
            *_solution("RolePrivilegeIdUnique"),
            version(),
        ],
        code=12,
        set_name="roleprivilegescollection",
        ownership=Ownership.NONE,
        pairs=ManyToMany(
            name="roleprivileges_association",
            entity1="privilege",
            attribute1="privilegeid",
            entity2="role",
            attribute2="roleid",
            intersect_entity="roleprivileges",
            navigation1="roleprivileges_association",
            navigation2="roleprivileges_association",
        ),
        checks_versions=False,
    )


def systemuserroles() -> Entity:
    """Make the intersect entity of users and roles; as in Dynamics, it tracks changes."""
    return table(
        "SystemUserRoles",
        (
            "System User Role|Benutzerrolle|Rola používateľa",
            "System User Roles|Benutzerrollen|Roly používateľov",
        ),
        [
            key("SystemUserRoleId", "System User Role|Benutzerrolle|Rola používateľa"),
            identifier("SystemUserId", "User|Benutzer|Používateľ"),
            identifier("RoleId", "Role|Rolle|Rola"),
            version(),
        ],
        code=15,
        set_name="systemuserrolescollection",
        ownership=Ownership.NONE,
        pairs=ManyToMany(
            name="systemuserroles_association",
            entity1="systemuser",
            attribute1="systemuserid",
            entity2="role",
            attribute2="roleid",
            intersect_entity="systemuserroles",
            navigation1="systemuserroles_association",
            navigation2="systemuserroles_association",
        ),
        tracks_changes=True,
    )
