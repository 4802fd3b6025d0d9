"""The admin's pages of organizations: metadata, records, members, recycle bin."""

from organizations.admin.organization import OrganizationAdmin

__all__ = ["OrganizationAdmin"]
