"""The one filter language: nodes, readers, writers, and what evaluates them.

Readers (`fetchxml_reader`, `odata_reader`) make a `nodes.Query`; `fetchxml_writer` prints one;
`sql` runs it on hosted tables and `matcher` on one record in memory, with the same meaning.
"""

from organizations.query.analysis import is_volatile, needs_user, restricted
from organizations.query.context import Context, User

__all__ = ["Context", "User", "is_volatile", "needs_user", "restricted"]
