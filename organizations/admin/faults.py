"""Limits and faults of a twin: how strict, and how unreliable, it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from organizations.admin.page import OrganizationPages
from organizations.dynamics import faults_switching as switching
from organizations.dynamics import protection
from organizations.models import Organization, RequestKind, TwinFault, TwinLimits

Kind = TwinFault.Kind
_SHORT = {"class": "ro-short"}
EXPLAINED: Mapping[str, str] = {
    Kind.LATENCY: "Every answer waits so many milliseconds, more or less by the jitter.",
    Kind.THROTTLED: "So many requests in a row are answered 429 with that Retry-After.",
    Kind.UNAVAILABLE: "Answered 503 in HTML; nothing is done.",
    Kind.BAD_GATEWAY: "Answered 502 in HTML; nothing is done.",
    Kind.DROPPED: "The connection ends without an answer; nothing is done.",
    Kind.TRUNCATED: "The answer ends half way; what was written is written.",
    Kind.INVALID_JSON: "Half an answer that says it is whole; what was written is written.",
    Kind.LOST_RESPONSE: "The work is done, then the connection ends without an answer.",
    Kind.EXPIRED_DELTA: "The delta token is answered as one that has expired.",
    Kind.REVOKED: "The access token is withdrawn: 401 until a new one is taken.",
}
_ONLY: Mapping[str, tuple[str, ...]] = {
    "milliseconds": (Kind.LATENCY,),
    "jitter": (Kind.LATENCY,),
    "burst": (Kind.THROTTLED,),
    "after": (Kind.THROTTLED,),
}


class LimitsForm(forms.ModelForm[TwinLimits]):
    """The service protection limits, each per user."""

    class Meta:
        """All of them."""

        model = TwinLimits
        fields = switching.LIMITS
        labels = {"is_on": "Limit requests"}
        help_texts = {
            "requests": "of one user within the window; a batch is one",
            "execution_seconds": "of all requests of one user within the window",
            "concurrent": "of one user",
            "dop_hint": "x-ms-dop-hint in the answer to WhoAmI",
            "page_size": "at most, whatever a client asks for",
        }


class FaultForm(forms.ModelForm[TwinFault]):
    """One fault; settings that mean nothing to it are left out."""

    requests = forms.MultipleChoiceField(
        choices=RequestKind.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        """What can be set."""

        model = TwinFault
        fields = ("is_on", *switching.SETTABLE)
        widgets = {name: forms.NumberInput(attrs=_SHORT) for name in switching.SETTABLE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what does not belong to the kind."""
        super().__init__(*args, **kwargs)
        for name, kinds in _ONLY.items():
            if self.instance.kind not in kinds:
                del self.fields[name]
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{self.instance}: {name.replace('_', ' ')}"

    def save_it(self, organization: Organization) -> None:
        """Switch the fault on or off; one that is on and unchanged goes on where it is."""
        data = self.cleaned_data
        if not data["is_on"]:
            switching.switch_off(organization, self.instance.kind)
        elif self.has_changed() or self.instance.pk is None:
            values = {name: data[name] for name in switching.SETTABLE if name in data}
            switching.switch_on(organization, self.instance.kind, values)


@dataclass(frozen=True, slots=True)
class Line:
    """A fault on the page."""

    fault: TwinFault
    explained: str
    form: FaultForm


class FaultPages(OrganizationPages):
    """Adds limits and faults to the admin of twins."""

    def fault_urls(self) -> list[URLPattern]:
        """Return the address of this page."""
        view = self.admin_site.admin_view(self.faults_view)
        return [path("<uuid:pk>/faults/", view, name="organizations_organization_faults")]

    def faults_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show limits and faults; POST saves all of them, or switches every fault off."""
        organization = self.organization(request, pk, change=request.method == "POST")
        if organization.kind != Organization.Kind.DYNAMICS_TWIN:
            raise Http404("Only a Dynamics twin has limits and faults.")
        if "clear" in request.POST:
            count = switching.switch_off(organization)
            messages.success(request, f"{count} faults were switched off.")
            return redirect("admin:organizations_organization_faults", organization.pk)
        given = request.POST or None
        limits = LimitsForm(given, instance=protection.limits_of(organization), prefix="limits")
        lines = _lines(organization, given)
        if given and all([limits.is_valid(), *(line.form.is_valid() for line in lines)]):
            limits.save()
            for line in lines:
                line.form.save_it(organization)
            messages.success(request, f"Limits and faults of {organization} are saved.")
            return redirect("admin:organizations_organization_faults", organization.pk)
        return self.page(
            request,
            "faults.html",
            organization,
            title=f"Limits and Faults · {organization}",
            tab="faults",
            status=400 if given else 200,
            limits=limits,
            lines=lines,
        )


def _lines(organization: Organization, given: Any) -> list[Line]:
    known = {fault.kind: fault for fault in TwinFault.objects.filter(organization=organization)}
    lines = []
    for kind, explained in EXPLAINED.items():
        fault = known.get(kind) or TwinFault(
            organization=organization,
            kind=kind,
            is_on=False,
            requests=switching.usual_requests(kind),
        )
        lines.append(Line(fault, explained, FaultForm(given, instance=fault, prefix=kind)))
    return lines
