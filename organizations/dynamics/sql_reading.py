"""`?sql=SELECT …`: the SQL end point that Microsoft's client for Python asks (dataverse.md 3.3).

Columns are shown as in other readings, or under their alias; nulls are shown (assumed).
"""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse

from organizations.dynamics import apply, links
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import bad_request
from organizations.dynamics.fetch_rows import RowsWriter, columns
from organizations.dynamics.fetching import versioned
from organizations.dynamics.names import Shape
from organizations.preferences import MAX_PAGE
from organizations.query import select_reader


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with one page of a SELECT's rows. Raises WebApiError 400."""
    query = select_reader.read(call.options["sql"], schema=call.catalog.entity)
    if query.entity != shape.entity.name:
        raise bad_request(
            f"The table '{query.entity}' of the SELECT does not match the entity set "
            f"'{shape.entity.set_name}'.",
            "0x80041102",
        )
    if query.aggregate:
        apply.check_size(call, query)
    position = links.position(call)
    if query.top is None:
        size = call.preferences.page_size or MAX_PAGE
        query = replace(query, page=position.page, cookie=position.cookie, count=size)
    found = call.store.query(versioned(query), context=call.context)
    writer = RowsWriter(call, shape, dict(columns(query, call.catalog.entity)), with_nulls=True)
    document = {
        "@odata.context": f"{call.api}$metadata#{shape.entity.set_name}",
        "value": writer.write(found.rows),
    }
    if found.more:
        cookie = found.cookie or links.value_cookie(position.page)
        document["@odata.nextLink"] = links.next_link(call, cookie, position.page + 1)
    return answer(document)
