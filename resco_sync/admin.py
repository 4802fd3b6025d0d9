"""Administrators of this installation in the admin; groups are not used."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

APPS = ("connections", "organizations", "syncjobs")

admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class AdministratorAdmin(UserAdmin[User], ModelAdmin[User]):
    """Who may sign in here, and what they may do. Only superusers see it.

    Anybody else who could edit users could make themselves a superuser.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ("user_permissions",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Rights",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "user_permissions"),
                "description": "Only staff can sign in here. A superuser may do everything; "
                "others may do what their permissions say.",
            },
        ),
        ("History", {"fields": ("last_login", "date_joined")}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the list is shown at all."""
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may look."""
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may add another."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may change one."""
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may delete one; nobody deletes themselves."""
        return _is_superuser(request) and (obj is None or obj.pk != request.user.pk)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer the permissions of the product, not those of the frameworks beneath it."""
        if db_field.name == "user_permissions":
            kwargs["queryset"] = _permissions()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _permissions() -> QuerySet[Permission]:
    found = Permission.objects.filter(content_type__app_label__in=APPS)
    return found.select_related("content_type")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
