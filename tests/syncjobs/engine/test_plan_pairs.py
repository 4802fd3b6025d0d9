"""Pairs that the client has in another row than the one that is known."""

from __future__ import annotations

import pytest

from syncjobs.engine.plan import PagePlan, View, plan_page
from syncjobs.engine.values import TAKEN_BACK, LinkRow
from tests.syncjobs.engine.test_plan import DELETES, ID, LINK, NEW, OTHER, at, make_page


def test_it_moves_a_pair_to_its_new_row() -> None:
    view = View(
        counterparts={OTHER: "client row"},
        records={"client row": at(100, NEW)},
        holders={"client row": LINK},
    )
    plan = plan_page(view, make_page([OTHER]), DELETES)
    made = LinkRow(OTHER, "client row", 11, 100, NEW)
    assert plan == PagePlan(unchanged=1, dropped=[ID], new_links=[made])


@pytest.mark.parametrize("is_there", [True, False])
def test_it_makes_again_what_was_taken_back_unless_another_row_holds_it(is_there: bool) -> None:
    taken_back = LINK._replace(client_version=TAKEN_BACK)
    view = View(
        links={OTHER: taken_back._replace(server_id=OTHER)},
        counterparts={OTHER: "client row"} if is_there else {},
        records={"client row": at(100, NEW)} if is_there else {},
    )
    plan = plan_page(view, make_page([ID, OTHER], digest=NEW), DELETES)
    made = LinkRow(OTHER, "client row", 11, 100, NEW)
    if is_there:
        assert (plan.creates, plan.new_links, plan.unchanged) == ([0], [made], 1)
    else:
        assert (plan.creates, plan.new_links, plan.unchanged) == ([0, 1], [], 0)
    assert plan.dropped == [OTHER]
