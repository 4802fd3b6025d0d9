"""The people of an organization: adding them, their passwords, who may sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from organizations.admin.page import OrganizationPages
from organizations.errors import OrganizationError
from organizations.members import add_member, check_login
from organizations.models import Member, Organization

_NEW = {"autocomplete": "new-password"}


class PasswordForm(forms.Form):
    """A new password, typed twice."""

    password = forms.CharField(
        label="Password", strip=False, max_length=1000, widget=forms.PasswordInput(attrs=_NEW)
    )
    again = forms.CharField(
        label="Confirm Password",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs=_NEW),
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two."""
        data = super().clean() or {}
        if "password" in data and "again" in data and data["password"] != data["again"]:
            self.add_error("again", "The two passwords differ.")
        return data


class MemberForm(PasswordForm):
    """A person who may sign in to the organization."""

    email = forms.EmailField(label="Username (email)", max_length=254)
    is_administrator = forms.BooleanField(
        label="Administrator",
        required=False,
        help_text="May connect the organization and change its metadata.",
    )
    field_order: tuple[str, ...] = ("email", "password", "again", "is_administrator")


class MemberPages(OrganizationPages):
    """Adds the members to the admin of organizations."""

    def member_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, base = self.admin_site.admin_view, "organizations_organization"
        place = "<uuid:pk>/members/<uuid:member>"
        return [
            path("<uuid:pk>/members/", wrap(self.members_view), name=f"{base}_members"),
            path(f"{place}/password/", wrap(self.password_view), name=f"{base}_password"),
            path(f"{place}/active/", wrap(self.active_view), name=f"{base}_active"),
        ]

    def members_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """List the members; POST adds one."""
        organization = self.organization(request, pk, change=request.method == "POST")
        form = MemberForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and _add(organization, form):
            messages.success(request, f"{form.cleaned_data['email']} may sign in now.")
            return redirect("admin:organizations_organization_members", organization.pk)
        return self.page(
            request,
            "members.html",
            organization,
            title=f"Members · {organization}",
            tab="members",
            status=400 if form.errors else 200,
            form=form,
            members=organization.members.all(),
            applications=organization.applications.all(),
        )

    def password_view(self, request: HttpRequest, pk: Any, member: Any) -> HttpResponse:
        """Set a member's password."""
        organization = self.organization(request, pk, change=True)
        person = _member(organization, member)
        form = PasswordForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and _reset(person, form):
            messages.success(request, f"The password of {person.email} was changed.")
            return redirect("admin:organizations_organization_members", organization.pk)
        return self.page(
            request,
            "password.html",
            organization,
            title=f"Password of {person.email}",
            tab="members",
            status=400 if form.errors else 200,
            form=form,
            member=person,
        )

    def active_view(self, request: HttpRequest, pk: Any, member: Any) -> HttpResponse:
        """Let a member sign in, or no longer."""
        organization = self.organization(request, pk, change=True)
        person = _member(organization, member)
        if request.method == "POST":
            person.is_active = request.POST.get("active") == "1"
            person.save(update_fields=["is_active"])
            state = "may sign in" if person.is_active else "can no longer sign in"
            messages.success(request, f"{person.email} {state}.")
        return redirect("admin:organizations_organization_members", organization.pk)


def _member(organization: Organization, pk: Any) -> Member:
    found = organization.members.filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such member.")
    return found


def _add(organization: Organization, form: MemberForm) -> bool:
    data = form.cleaned_data
    try:
        add_member(
            organization,
            data["email"],
            data["password"],
            is_administrator=data["is_administrator"],
        )
    except OrganizationError as error:
        field = getattr(error, "element", "email")
        form.add_error(field if field in form.fields else "email", str(error))
        return False
    return True


def _reset(member: Member, form: PasswordForm) -> bool:
    try:
        check_login(member.email, form.cleaned_data["password"])
    except OrganizationError as error:
        form.add_error("password", str(error))
        return False
    member.set_password(form.cleaned_data["password"])
    member.save(update_fields=["password"])
    return True
