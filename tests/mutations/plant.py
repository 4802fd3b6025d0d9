"""Plant each bug in a copy of the tree and tell which suite finds it.

    python -m tests.mutations.plant            all of them
    python -m tests.mutations.plant 3 17       only these, by number from 1

    python -m tests.mutations.plant --worlds   what the worlds alone find

Suites, in order: units (tests of the engine in memory), worlds (chaos), rows (state, queue and
held deletions on the database), store. Needs what the tests need (DATABASE_URL, REDIS_URL or the
embedded services). Exit code 1 if a bug was found by none.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.planted import PLANTED, Planted

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider")
ENGINE = "tests/syncjobs/engine"
UNITS = (
    "plan",
    "reading",
    "checkpoints",
    "crash",
    "deletion",
    "airbag",
    "compare",
    "collect",
    "collect_faults",
    "folding",
    "conflicts",
    "pull",
)
PUSH = ("clashes", "deletion_clashes", "faults", "pushing", "settling")
SUITES: dict[str, Sequence[str]] = {
    "units": (
        *TESTS,
        *(f"{ENGINE}/test_{name}.py" for name in UNITS),
        *(f"{ENGINE}/push/test_{name}.py" for name in PUSH),
    ),
    "worlds": ("manage.py", "chaos", "--worlds", "100", "--first", "--json"),
    "rows": (
        *TESTS,
        "tests/syncjobs/test_state.py",
        "tests/syncjobs/test_transactions.py",
        "tests/syncjobs/test_held.py",
        "tests/syncjobs/engine/test_collect_hosted.py",
    ),
    "store": (*TESTS, "tests/organizations/store", "tests/connections/connectors/test_hosted.py"),
}


def copy_tree(to: Path) -> None:
    """Copy what git knows of, as it stands in the working tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def finder(item: Planted | None, suites: Sequence[str] = tuple(SUITES)) -> str:
    """Return the first suite that fails with the bug planted, '' if none does."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        if item is not None:
            file = tree / item.file
            file.write_text(file.read_text("utf-8").replace(item.old, item.new), "utf-8")
        for name in suites:
            done = subprocess.run([sys.executable, *SUITES[name]], cwd=tree, capture_output=True)
            if done.returncode:
                return name
    return ""


def main(arguments: Sequence[str]) -> int:
    """Plant, print a line for each, and return the exit code."""
    numbers = [int(text) for text in arguments if text.isdigit()]
    suites = ("worlds",) if "--worlds" in arguments else tuple(SUITES)
    missed = 0
    for number in numbers or range(1, len(PLANTED) + 1):
        item = PLANTED[number - 1]
        found = finder(item, suites)
        missed += not found
        sys.stdout.write(f"{number:>2} {found or 'NOBODY':<7} {item.file}: {item.why}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
