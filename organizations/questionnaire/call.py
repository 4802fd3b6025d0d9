"""One request to the Questionnaire OData service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from organizations.odata.call import Call
from organizations.odata.errors import unknown
from organizations.questionnaire import templates
from organizations.questionnaire.templates import Answered, Set


@dataclass(frozen=True)
class QuestionnaireCall(Call):
    """A request whose sets are those of the organization's templates."""

    @cached_property
    def sets(self) -> list[Set]:
        """All sets."""
        return templates.sets(self.store)

    def set(self, name: str) -> tuple[Set, Answered]:
        """Return a set and what its records are made of. Raises ODataError 404."""
        found = next((one for one in self.sets if one.name == name), None)
        if found is None:
            raise unknown("questionnaire", name)
        return found, templates.shape(self.store, found)
