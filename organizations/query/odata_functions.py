"""Dataverse's query functions (`Microsoft.Dynamics.CRM.LastXDays(…)`) as condition operators."""

from __future__ import annotations

import re

from organizations.query.nodes import Operator

_NAMESPACE = ("Microsoft", "Dynamics", "CRM")
_SPECIAL = {
    "ContainValues": Operator.CONTAIN_VALUES,
    "DoesNotContainValues": Operator.NOT_CONTAIN_VALUES,
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Between": Operator.BETWEEN,
    "NotBetween": Operator.NOT_BETWEEN,
    "On": Operator.ON,
    "NotOn": Operator.NOT_ON,
    "OnOrBefore": Operator.ON_OR_BEFORE,
    "OnOrAfter": Operator.ON_OR_AFTER,
    "Last7Days": Operator.LAST_SEVEN_DAYS,
    "Next7Days": Operator.NEXT_SEVEN_DAYS,
    "Above": Operator.ABOVE,
    "AboveOrEqual": Operator.EQ_OR_ABOVE,
    "Under": Operator.UNDER,
    "UnderOrEqual": Operator.EQ_OR_UNDER,
    "NotUnder": Operator.NOT_UNDER,
    "EqualUserId": Operator.EQ_USERID,
    "NotEqualUserId": Operator.NE_USERID,
    "EqualUserTeams": Operator.EQ_USERTEAMS,
    "EqualUserOrUserTeams": Operator.EQ_USEROROWNEDTEAMS,
    "EqualBusinessId": Operator.EQ_BUSINESSID,
    "NotEqualBusinessId": Operator.NE_BUSINESSID,
}
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=X)(?=[A-Z])")
_DATES = {str(item): item for item in Operator}


def operator_of(name: str, namespace: tuple[str, ...]) -> Operator | None:
    """Return the operator of a query function; None for an unknown one.

    Names of relative dates are those of FetchXML in another spelling: LastXDays, last-x-days.
    """
    if namespace != _NAMESPACE:
        return None
    kebab = _WORD.sub("-", name).lower().replace("older-than", "olderthan")
    return _SPECIAL.get(name) or _DATES.get(kebab)
