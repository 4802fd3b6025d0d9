"""Questionnaires of the Sales template: templates, their groups and questions, and the answers.

Published are the names of the three entities, their keys `{entity}id` and names `resco_name`
(resco.md §2.2), `resco_value` and `resco_valuelabel`, and what the completion status means
(§3.6). All other attributes are assumed.
"""

from __future__ import annotations

from organizations.samples.sales.columns import (
    choice,
    flag,
    line,
    lookup,
    memo,
    moment,
    native,
    owner,
    required,
    whole,
    written,
)
from organizations.schema import Entity

_STATUSES = {0: "Active", 1: "Completed", 2: "Canceled"}
_TYPES = {
    0: "Text",
    1: "Whole Number",
    2: "Decimal Number",
    3: "Yes or No",
    4: "Date and Time",
    5: "Choice",
}
_QUESTIONNAIRE = "resco_questionnaire"
_GROUP = "resco_questiongroup"
_NAME = "resco_name"


def questionnaire() -> Entity:
    """Make the entity of templates and of what was answered by them."""
    return native(
        _QUESTIONNAIRE,
        ("Questionnaire", "Questionnaires"),
        [
            required(line(_NAME, "Name", 200)),
            flag("resco_istemplate", "Is Template"),
            whole("resco_version", "Version"),
            lookup("resco_templateid", "Template", _QUESTIONNAIRE),
            choice("resco_completionstatus", "Completion Status", _STATUSES),
            moment("resco_completedon", "Completed On"),
            lookup("resco_regardingid", "Regarding", "account", "contact", "lead", "appointment"),
            owner(),
            written(),
        ],
        key="resco_questionnaireid",
        primary_name=_NAME,
    )


def questiongroup() -> Entity:
    """Make the entity of groups of questions; a group of a template may repeat in the answers."""
    return native(
        _GROUP,
        ("Question Group", "Question Groups"),
        [
            required(line(_NAME, "Name", 200)),
            line("resco_label", "Label", 500),
            required(lookup("resco_questionnaireid", "Questionnaire", _QUESTIONNAIRE)),
            whole("resco_index", "Position"),
            flag("resco_isrepeatable", "Repeats"),
            whole("resco_repeatindex", "Repetition"),
            owner(),
            written(),
        ],
        key="resco_questiongroupid",
        primary_name=_NAME,
    )


def question() -> Entity:
    """Make the entity of questions, and of the answers to them."""
    return native(
        "resco_question",
        ("Question", "Questions"),
        [
            required(line(_NAME, "Name", 200)),
            line("resco_label", "Label", 500),
            required(lookup("resco_questionnaireid", "Questionnaire", _QUESTIONNAIRE)),
            lookup("resco_questiongroupid", "Question Group", _GROUP),
            whole("resco_index", "Position"),
            choice("resco_type", "Type", _TYPES),
            memo("resco_value", "Value", 100_000),
            memo("resco_valuelabel", "Value Label", 100_000),
            owner(),
            written(),
        ],
        key="resco_questionid",
        primary_name=_NAME,
    )
