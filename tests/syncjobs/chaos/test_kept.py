"""Worlds that once violated an invariant, made short and kept."""

from __future__ import annotations

from dataclasses import replace

from syncjobs.chaos.play import play
from syncjobs.chaos.program import Program, Setting, Step
from syncjobs.engine.values import ConflictRule, Leaving

SETTING = Setting(
    page_size=3,
    is_hosted=True,
    is_strict=True,
    is_instant=False,
    is_deleting=True,
    leaving=Leaving.DELETE,
)


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
    setting = replace(SETTING, rule=ConflictRule.ASK, records=1)
    assert play(Program(401057, setting, steps)).violations == ()


def test_a_record_that_is_only_touched_after_an_older_change_gets_what_the_server_has() -> None:
    steps = (
        Step("sync", 69, 431, 169),
        Step("update", 691, 742, 821),
        Step("kill", 140, 896, 542),
        Step("owner", 843, 51, 170),
        Step("sync", 520, 707, 86),
        Step("second worker", 817, 291, 363),
        Step("update", 512, 632, 876),
        Step("sync", 242, 275, 43),
        Step("refused", 369, 355, 570),
        Step("parent", 618, 914, 460),
        Step("purge", 443, 711, 467),
        Step("sync", 674, 360, 477),
        Step("set to pending", 423, 82, 174),
        Step("parent", 36, 253, 18),
        Step("sync", 937, 45, 788),
    )
    setting = replace(SETTING, rule=ConflictRule.NEWEST, records=2)
    assert play(Program(500851, setting, steps)).violations == ()
