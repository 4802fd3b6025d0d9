"""How the admin looks: title and navigation, after Woodford."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy


def page(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return one line of the navigation, to the list of a model (`app_model`)."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Resco CRM Sync",
    "SITE_HEADER": "Resco CRM Sync",
    "SITE_SUBHEADER": "Two organizations in step",
    "SITE_SYMBOL": "sync",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Resco CRM Sync",
                "items": [
                    page("Connections", "sync_alt", "connections_connection"),
                    page("Runs", "history", "syncjobs_run"),
                    page("Jobs", "schedule", "syncjobs_syncjob"),
                ],
            },
            {
                "title": "Organizations",
                "items": [page("Organizations", "domain", "organizations_organization")],
            },
            {
                "title": "Administration",
                "items": [page("Administrators", "person", "auth_user")],
            },
        ],
    },
}
