"""The Plugins page of a twin: what it records for Advanced Sync Deletion (mission.md D22)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from organizations.admin.page import OrganizationPages
from organizations.dynamics import plugins, tracking
from organizations.errors import OrganizationError
from organizations.models import Organization

_FIRST = "relationships"
_EXPLAINED = {
    "relationships": "Removed pairs of these relationships are recorded.",
    "deletes": "Deleted records of these entities are recorded.",
    "owners": "New owners of records of these entities are recorded.",
}


class PluginPages(OrganizationPages):
    """Adds the Plugins page to the admin of twins."""

    def plugin_urls(self) -> list[URLPattern]:
        """Return the address of this page."""
        view = self.admin_site.admin_view(self.plugins_view)
        return [path("<uuid:pk>/plugins/", view, name="organizations_organization_plugins")]

    def plugins_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show one of the tabs; POST saves what is chosen on it."""
        organization = self.organization(request, pk, change=request.method == "POST")
        if organization.kind != Organization.Kind.DYNAMICS_TWIN:
            raise Http404("Only a Dynamics twin has plug-ins.")
        part = request.GET.get("part", _FIRST)
        part = part if part in plugins.PARTS else _FIRST
        if request.method == "POST":
            return self._save(request, organization, part)
        tracked = plugins.tracked(organization)
        return self.page(
            request,
            "plugins.html",
            organization,
            title=f"Plugins · {organization}",
            tab="plugins",
            part=part,
            parts=[(name, text, len(getattr(tracked, name))) for name, text in _parts()],
            explained=_EXPLAINED[part],
            choices=plugins.choices(organization, part),
            chosen=getattr(tracked, part),
            mobile_tracking=tracking.LABEL,
            is_installed=tracked.pk is not None,
        )

    def _save(self, request: HttpRequest, organization: Organization, part: str) -> HttpResponse:
        try:
            actor = request.user.get_username()
            changed = plugins.track(organization, part, request.POST.getlist("chosen"), actor)
        except OrganizationError as error:
            messages.error(request, str(error))
        else:
            said = "Saved." if changed else "Nothing was changed."
            if changed:
                said += (
                    " Only what happens from now on is recorded, so the next Sync All compares "
                    "once all ids of each entity that is newly tracked."
                )
            messages.success(request, said)
        address = reverse("admin:organizations_organization_plugins", args=[organization.pk])
        return redirect(f"{address}?part={part}")


def _parts() -> list[tuple[str, str]]:
    return list(plugins.PARTS.items())
