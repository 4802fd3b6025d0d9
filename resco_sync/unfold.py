"""How the admin looks: title, colours and navigation, after Woodford."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def page(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return one line of the navigation, to the list of a model (`app_model`).

    It is shown to those who may see the list.
    """
    app, name = model.split("_")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def link(title: str, icon: str, view: str) -> dict[str, Any]:
    """Return one line of the navigation, to a page that everybody may see."""
    return {"title": title, "icon": icon, "link": reverse_lazy(view)}


def file(path: str) -> Callable[[HttpRequest], str]:
    """Return what gives the address of a static file."""
    return lambda request: static(path)


BLUES = {
    "50": "oklch(97% .014 250)",
    "100": "oklch(93.5% .03 250)",
    "200": "oklch(88.5% .057 250)",
    "300": "oklch(81% .1 250)",
    "400": "oklch(72.5% .13 250)",
    "500": "oklch(62% .15 250)",
    "600": "oklch(53.5% .15 250)",
    "700": "oklch(47% .135 250)",
    "800": "oklch(40.5% .11 251)",
    "900": "oklch(36% .09 252)",
    "950": "oklch(27% .07 253)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Resco CRM Sync",
    "SITE_HEADER": "Resco CRM Sync",
    "SITE_SUBHEADER": "Two organizations in step",
    "SITE_SYMBOL": "sync",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": file("organizations/icon.svg")}
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [file("organizations/admin.css")],
    "COLORS": {"primary": BLUES},
    "DASHBOARD_CALLBACK": "syncjobs.admin.dashboard.dashboard",
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            {
                "title": "Resco CRM Sync",
                "items": [
                    link("Overview", "dashboard", "admin:index"),
                    page("Connections", "sync_alt", "connections_connection"),
                    page("Runs", "history", "syncjobs_run"),
                    page("Jobs", "schedule", "syncjobs_syncjob"),
                    page("Alerts", "notifications", "syncjobs_alert"),
                ],
            },
            {
                "title": "Organizations",
                "items": [
                    page("Organizations", "domain", "organizations_organization"),
                    link("Connect page", "app_registration", "register"),
                ],
            },
            {
                "title": "Administration",
                "items": [
                    page("Administrators", "person", "auth_user"),
                    link("API documentation", "api", "docs"),
                ],
            },
        ],
    },
}
