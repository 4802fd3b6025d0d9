"""Worlds that once violated an invariant, made short and kept."""

from __future__ import annotations

from syncjobs.chaos.play import play
from syncjobs.chaos.program import Program, Setting, Step
from syncjobs.engine.values import ConflictRule, Leaving


def test_an_older_change_that_follows_a_newer_one_leaves_both_sides_equal() -> None:
    steps = (
        Step("conflict rule", 44, 902, 990),
        Step("sync", 953, 764, 982),
        Step("clash", 271, 905, 472),
        Step("sync", 934, 53, 62),
        Step("owner", 739, 136, 348),
        Step("purge", 673, 556, 973),
        Step("dry", 307, 403, 489),
        Step("set to pending", 894, 851, 751),
        Step("create", 264, 115, 248),
        Step("lost response", 889, 913, 407),
        Step("restore", 505, 241, 378),
        Step("full", 184, 182, 654),
        Step("set to pending", 447, 558, 297),
    )
    setting = Setting(
        page_size=3,
        is_hosted=True,
        is_strict=True,
        is_instant=False,
        is_deleting=True,
        leaving=Leaving.DELETE,
        rule=ConflictRule.ASK,
        records=1,
    )
    assert play(Program(401057, setting, steps)).violations == ()
