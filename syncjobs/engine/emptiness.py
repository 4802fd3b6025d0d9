"""An empty answer of a server that had records is never believed (design decision 8).

A full reading may come to nothing because nothing is left, or because something broke on the way,
or a permission was lost. The links tell what was there. So the server is asked for the ids that
it has, and for what is linked, by id:

==============================  ==============================================================
what it shows                   what the empty reading means
==============================  ==============================================================
a record inside the filter      nothing: it is asked for again
only records outside of it      that nothing is inside
no record                       nobody knows: nothing is concluded, and it is read in full
                                again by the next run
==============================  ==============================================================
"""

from __future__ import annotations

from connections.errors import Retryable
from syncjobs.engine.protocols import State
from syncjobs.engine.reading import Reader
from syncjobs.engine.values import EntityTask

_CONTRADICTED = (
    "The server named no record of '{name}' at all, but it has some, such as {record}. An empty "
    "answer is not believed; nothing was changed."
)


def contradicted(name: str, record: str) -> Retryable:
    """Return the error for a server that named nothing of an entity and has this record."""
    return Retryable(_CONTRADICTED.format(name=name, record=record), code="empty-answer")


def is_believed(state: State, reader: Reader, task: EntityTask, *, page_size: int) -> bool:
    """Return whether nothing may be left inside the filter. Raises Retryable if something is."""
    is_linked = is_shown = False
    for ids in state.spool(task.key).missing(page_size):
        page = reader.by_id(ids)
        unread = () if task.query is not None else (rejection.id for rejection in page.rejected)
        inside = [*(item for item in page.ids if item not in page.outside), *unread]
        if record := next(iter(inside), "") or reader.first_id():
            raise contradicted(task.name, record)
        is_linked, is_shown = True, is_shown or len(page.absent) < len(ids)
    return is_shown or not is_linked
