"""Tell which small changes of the code no quick test notices.

    python -m tests.mutations.measure                                all changes of all modules
    python -m tests.mutations.measure 'syncjobs.engine.compare*'     those with such names
    python -m tests.mutations.measure --some 100 --seed 7            so many of each module

The changes are mutmut's; modules and tests stand in `pyproject.toml`. mutmut itself gives every
change a process of its own, which takes hours: here all are tried in one (`trying`), in a copy of
the tree. Needs the extra `mutation`, and what the tests need. Exit code 1 if a module has less
than 85 % of its changes noticed, 2 if nothing could be measured.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import ndiff
from fnmatch import fnmatch
from pathlib import Path

from tests.mutations.plant import copy_tree

WANTED = 85
"""Percent of a module's changes that are to be noticed."""


def module_of(name: str) -> str:
    """Return the module of a change, by the change's full name."""
    return name.rpartition(".")[0]


def concerned(files: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Return the modules' files that may hold changes with such names."""
    begins = [re.split(r"[*?\[]", pattern)[0] for pattern in patterns or [""]]
    modules = {file: file.removesuffix(".py").replace("/", ".") for file in files}
    return [
        file
        for file, module in modules.items()
        if any(module.startswith(begin) or begin.startswith(module) for begin in begins)
    ]


def choose(names: Sequence[str], patterns: Sequence[str], some: int, seed: int) -> list[str]:
    """Return those with such names; of each module `some` by chance, if that is not 0."""
    of_module: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if not patterns or any(fnmatch(name, pattern) for pattern in patterns):
            of_module[module_of(name)].append(name)
    chance = random.Random(seed)
    if some:
        of_module = {
            module: sorted(chance.sample(found, min(some, len(found))), key=found.index)
            for module, found in of_module.items()
        }
    return [name for found in of_module.values() for name in found]


def figures(names: Sequence[str], found: Mapping[str, str]) -> dict[str, tuple[int, int, int]]:
    """Return by module how many changes there are, were tried, and were noticed."""
    counts = {module_of(name): [0, 0, 0] for name in names if name in found}
    for name in names:
        if module_of(name) in counts:
            count = counts[module_of(name)]
            count[0] += 1
            count[1] += name in found
            count[2] += bool(found.get(name))
    return {module: (made, tried, noticed) for module, (made, tried, noticed) in counts.items()}


def difference(source: str, name: str) -> str:
    """Return what a change changes, as lines that go and lines that come."""
    wanted = name.rpartition(".")[2]
    unchanged = f"{wanted.partition('__mutmut_')[0]}__mutmut_orig"
    lines = {
        node.name: [f"({ast.unparse(node.args)})", *ast.unparse(node).splitlines()[1:]]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name in (wanted, unchanged)
    }
    compared = ndiff(lines[unchanged], lines[wanted])
    return "\n".join(line for line in compared if line[0] in "+-")


def table(counts: Mapping[str, tuple[int, int, int]]) -> Iterator[str]:
    """Yield the lines of the figures, and one for all modules together."""
    yield f"{'module':<32} changes  tried  noticed"
    total = tuple(map(sum, zip(*counts.values(), strict=True)))
    for module, (made, tried, noticed) in {**counts, "together": total}.items():
        yield f"{module:<32} {made:>7}  {tried:>5}  {noticed:>7}  {noticed / tried:.1%}"


def run(tree: Path, options: argparse.Namespace) -> int:
    """Measure in a copy of the tree; print, and return the exit code."""
    settings = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    files = concerned(settings["only_mutate"], options.patterns)
    changing = [sys.executable, "-m", "tests.mutations.changing", *files]
    done = subprocess.run(changing, cwd=tree, check=True, stdout=subprocess.PIPE)
    names = json.loads(done.stdout)
    chosen = choose(names, options.patterns, options.some, options.seed)
    if not chosen:
        sys.stderr.write(f"No change has a name like {' or '.join(options.patterns)}.\n")
        return 2
    changes, result = tree / "changes.json", tree / "found.json"
    changes.write_text(json.dumps(chosen), "utf-8")
    tests = settings["pytest_add_cli_args_test_selection"]
    pytest = [sys.executable, "-m", "pytest", *settings["pytest_add_cli_args"]]
    plugin = ["-p", "tests.mutations.trying", "--changes", str(changes), "--found", str(result)]
    environment = {**os.environ, "MUTANT_UNDER_TEST": ""}
    if subprocess.run([*pytest, *plugin, *tests], cwd=tree, env=environment).returncode:
        sys.stderr.write("The measurement ended before its end; the reason stands above.\n")
        return 2
    return tell(tree, names, json.loads(result.read_text("utf-8")))


def tell(tree: Path, names: Sequence[str], found: Mapping[str, str]) -> int:
    """Print what nobody noticed, and the figures; return the exit code."""
    for name in [name for name, test in found.items() if not test]:
        source = (tree / f"{module_of(name).replace('.', '/')}.py").read_text("utf-8")
        sys.stdout.write(f"\n{name}\n{difference(source, name)}\n")
    counts = figures(names, found)
    sys.stdout.write("\n" + "\n".join(table(counts)) + "\n")
    return int(any(noticed * 100 < WANTED * tried for _, tried, noticed in counts.values()))


def main(arguments: Sequence[str]) -> int:
    """Measure, and return the exit code."""
    parser = argparse.ArgumentParser(description="Which small changes does no quick test notice?")
    parser.add_argument("patterns", nargs="*", help="names of changes; * stands for anything")
    parser.add_argument("--some", type=int, default=0, help="so many of each module by chance")
    parser.add_argument("--seed", type=int, default=1, help="of that chance")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy_tree(Path(folder))
        return run(Path(folder), options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
