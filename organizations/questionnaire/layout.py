"""Where questionnaires stand among an organization's records.

The three entities, their names, `resco_value` and `resco_valuelabel` are published (resco.md §2.2,
§3.6). All other attributes, and how records belong together, are assumed:

- A template is a `resco_questionnaire` with `resco_istemplate`; versions of it share `resco_name`
  and differ in `resco_version`. What was answered names its template in `resco_templateid`.
- Groups and questions name their questionnaire in `resco_questionnaireid`, questions their group
  in `resco_questiongroupid`. In answers they have the `resco_name` they have in the template.
- A group with `resco_isrepeatable` in the template stands once for each `resco_repeatindex` in the
  answers.
- `resco_type` says what a question's value is (`TYPES`).
"""

from __future__ import annotations

from collections.abc import Mapping

from organizations.catalog import Catalog
from organizations.errors import NotFound
from organizations.odata.errors import ODataError
from organizations.schema import AttributeType

QUESTIONNAIRE, GROUP, QUESTION = "resco_questionnaire", "resco_questiongroup", "resco_question"
NAME, LABEL = "resco_name", "resco_label"
OF, IN_GROUP = "resco_questionnaireid", "resco_questiongroupid"
IS_TEMPLATE, TEMPLATE, VERSION = "resco_istemplate", "resco_templateid", "resco_version"
IS_REPEATABLE, REPETITION = "resco_isrepeatable", "resco_repeatindex"
INDEX, TYPE = "resco_index", "resco_type"
VALUE, VALUE_LABEL = "resco_value", "resco_valuelabel"

TYPES: Mapping[int, AttributeType] = {
    0: AttributeType.MEMO,
    1: AttributeType.BIGINT,
    2: AttributeType.DECIMAL,
    3: AttributeType.BOOLEAN,
    4: AttributeType.DATETIME,
    5: AttributeType.STRING,
}
"""`resco_type` → what the value is; anything else is text. Choices are text: their option."""

_NEEDED: Mapping[str, tuple[str, ...]] = {
    QUESTIONNAIRE: (NAME, IS_TEMPLATE, TEMPLATE, VERSION),
    GROUP: (NAME, LABEL, OF, IS_REPEATABLE, REPETITION),
    QUESTION: (NAME, LABEL, OF, IN_GROUP, INDEX, TYPE, VALUE, VALUE_LABEL),
}


def has_questionnaires(catalog: Catalog) -> bool:
    """Return whether the organization has the three entities.

    Raises ODataError 501 if it has them in a layout that is not the assumed one.
    """
    if not all(catalog.enabled(name) for name in _NEEDED):
        return False
    for name, attributes in _NEEDED.items():
        for attribute in attributes:
            _check(catalog, name, attribute)
    return True


def _check(catalog: Catalog, name: str, attribute: str) -> None:
    try:
        found = catalog.entity(name).attribute(attribute)
    except NotFound:
        found = None
    if found is None or found.is_hidden or not found.is_stored:
        raise ODataError(
            f"Questionnaires cannot be served: '{name}' has no attribute '{attribute}'.",
            status=501,
            code="NotServed",
            target=attribute,
        )
