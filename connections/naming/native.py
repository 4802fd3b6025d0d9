"""Which attributes of native Resco entities are which of Dynamics: the one table of them.

Source: resco.md §1.5 and §6.1. The key of a native entity is `id` where Dynamics has `{entity}id`
or, for activities, `activityid`; the name is `name` where Dynamics has `fullname`, `subject` or
`currencyname`. That a native lead's `name` is the `fullname` of Dynamics is inferred: both have
`subject` too.
"""

from __future__ import annotations

from collections.abc import Mapping

KEY = "id"

DYNAMICS: Mapping[str, Mapping[str, str]] = {
    "account": {"accountid": KEY},
    "activityparty": {"activitypartyid": KEY},
    "annotation": {"annotationid": KEY},
    "appointment": {"activityid": KEY, "subject": "name"},
    "contact": {"contactid": KEY, "fullname": "name"},
    "lead": {"leadid": KEY, "fullname": "name"},
    "opportunity": {"opportunityid": KEY},
    "pricelevel": {"pricelevelid": KEY},
    "role": {"roleid": KEY},
    "systemuser": {"systemuserid": KEY, "fullname": "name"},
    "task": {"activityid": KEY, "subject": "name"},
    "team": {"teamid": KEY},
    "transactioncurrency": {"transactioncurrencyid": KEY, "currencyname": "name"},
    "uom": {"uomid": KEY},
}
"""Entity → name in Dynamics → name of the native attribute."""
