"""What the measurement chooses, counts and prints; it is run by `make mutation`, not here."""

from __future__ import annotations

import tomllib

from tests.mutations.measure import choose, concerned, difference, figures, table
from tests.mutations.plant import ROOT

NAMES = [
    *(f"engine.plan.x_decide__mutmut_{number}" for number in range(1, 11)),
    *(f"engine.compare.xǁComparisonǁread__mutmut_{number}" for number in range(1, 6)),
]


def test_it_takes_all_or_those_with_such_names() -> None:
    assert choose(NAMES, [], 0, 1) == NAMES
    assert choose(NAMES, ["engine.compare*"], 0, 1) == NAMES[10:]
    assert choose(NAMES, ["*_3", "*decide*_4"], 0, 1) == [NAMES[2], NAMES[3], NAMES[12]]
    assert choose(NAMES, ["nothing*"], 0, 1) == []


def test_it_changes_the_modules_that_are_meant() -> None:
    files = ["syncjobs/engine/plan.py", "syncjobs/engine/compare.py", "syncjobs/transactions.py"]
    assert concerned(files, []) == files
    assert concerned(files, ["*_3"]) == files
    assert concerned(files, ["syncjobs.engine.compare*"]) == files[1:2]
    assert concerned(files, ["syncjobs.engine.plan.x_decide__mutmut_?"]) == files[:1]
    assert concerned(files, ["syncjobs.t*", "syncjobs.engine.p*"]) == [files[0], files[2]]
    assert concerned(files, ["elsewhere*"]) == []


def test_it_takes_some_of_each_module_the_same_for_a_seed() -> None:
    some = choose(NAMES, [], 7, 1)
    assert len(some) == 12
    assert set(NAMES[10:]) <= set(some) <= set(NAMES)
    assert some == choose(NAMES, [], 7, 1)
    assert any(choose(NAMES, [], 7, seed) != some for seed in range(2, 6))


def test_it_counts_what_was_tried_and_noticed() -> None:
    found = {NAMES[0]: "test_a", NAMES[1]: "", NAMES[2]: "test_b", NAMES[3]: "test_a"}
    counts = figures(NAMES, found)
    assert counts == {"engine.plan": (10, 4, 3)}
    assert [line.split() for line in table(counts)] == [
        ["module", "changes", "tried", "noticed"],
        ["engine.plan", "10", "4", "3", "75.0%"],
        ["together", "10", "4", "3", "75.0%"],
    ]


def test_it_shows_what_a_change_changes() -> None:
    source = (
        "def x_decide__mutmut_orig(a):\n    b = a + 1\n    return b\n"
        "def x_decide__mutmut_1(a):\n    b = a - 1\n    return b\n"
        "class Comparison:\n"
        "    def xǁComparisonǁread__mutmut_orig(self, a=1):\n        return 1\n"
        "    def xǁComparisonǁread__mutmut_4(self, a=2):\n        return 1\n"
        "    def xǁComparisonǁread__mutmut_5(self, a=1):\n        return 2\n"
    )
    assert difference(source, NAMES[0]) == "-     b = a + 1\n+     b = a - 1"
    assert difference(source, NAMES[13]) == "- (self, a=1)\n+ (self, a=2)"
    assert difference(source, NAMES[14]) == "-     return 1\n+     return 2"


def test_the_modules_and_tests_it_names_are_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    files = [*settings["only_mutate"], *settings["pytest_add_cli_args_test_selection"]]
    assert len(files) > 15
    assert [file for file in files if not (ROOT / file).is_file()] == []
