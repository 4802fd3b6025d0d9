"""Believable fictitious records for the sample organization: the same seed, the same records."""

from organizations.samples.generator.loading import Progress, generate
from organizations.samples.generator.rows import Table, tables

__all__ = ["Progress", "Table", "generate", "tables"]
