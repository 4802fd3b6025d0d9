"""An organization that can go back to what it was, and whose definitions change meanwhile."""

from __future__ import annotations

from syncjobs.chaos import schema
from syncjobs.chaos.memory_world import make_world
from syncjobs.chaos.program import Setting
from syncjobs.chaos.schema import CONTACT, TAG


def test_a_backup_comes_back_in_the_columns_there_are_then() -> None:
    server = make_world(Setting(records=0)).server
    kept = server.create(CONTACT, {"name": "before", "email": "a@b.cz"})
    backup, before = server.backup(), server.get(CONTACT, kept)
    server.alter(schema.without(server.entity(CONTACT), "email"))
    server.alter(schema.with_text(server.entity(CONTACT), "extra"))
    server.update(CONTACT, kept, {"name": "after", "extra": "more"})
    gone = server.create(TAG, {"name": "new"})
    server.restore(backup)
    assert gone not in server.tables[TAG]
    expected = {name: value for name, value in before.items() if name != "email"}
    assert server.get(CONTACT, kept) == {**expected, "extra": None}
    assert server.version == backup.version
