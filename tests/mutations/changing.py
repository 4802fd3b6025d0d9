"""Put every small change that mutmut makes of some modules into them, all at once.

    python -m tests.mutations.changing FILE…      in a copy of the tree; prints the names as JSON

Each function becomes one that asks the environment variable MUTANT_UNDER_TEST which of its
changes is in force: none, unless it names one. Needs the extra `mutation`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents


def change(file: Path) -> list[str]:
    """Rewrite one module, given relative to the tree, and return its changes' full names."""
    made = mutate_file_contents(file.as_posix(), file.read_text("utf-8"))
    file.write_text(made.code, "utf-8")
    module = ".".join(file.with_suffix("").parts)
    return [f"{module}.{name}" for name in made.mutant_names]


def main(files: Sequence[str]) -> int:
    """Change all of them."""
    names = [name for file in files for name in change(Path(file))]
    sys.stdout.write(json.dumps(names))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
