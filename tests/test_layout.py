"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("organizations", "connections", "syncjobs", "resco_sync")
LONGEST_FILE = 400
LONGEST_FUNCTION = 30
# A function without a branch or a loop is a table of data; it is read like one.
LONGEST_TABLE = 60
STEPS = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Match)

# A function that may be longer: path and name, and why it is better whole.
LONG_FUNCTIONS: dict[str, str] = {}
# Any error is caught only where the work of others must go on, or where it is handed on.
CATCH_ALL = {
    "syncjobs/runner.py": "a run ends, its worker does not",
    "connections/connectors/paging.py": "raised again in the thread that waits for the page",
    "connections/connectors/dynamics/streams.py": "raised again in the thread that takes the pages",
    "syncjobs/engine/apart.py": "raised again in the process that waits for the page",
}
# Words and paths of the place where this was written, which nobody else has.
FORBIDDEN = re.compile(
    r"/root/|/home/\w|DESIGN\.md|\.\./shared/(?!data)|shared/reference"
    r"|\b(claude|anthropic|chatgpt|openai|copilot|llm)\b",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplemented|provisional)\b", re.IGNORECASE)
TEXT_FILES = {".py", ".md", ".toml", ".html", ".js", ".css", ".xml", ".sql", ".json", ""}


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the repository as it would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    found = (ROOT / name for name in names.decode().split("\0") if name)
    return tuple(path for path in found if path.is_file())


def sources() -> Iterator[Path]:
    """Yield our Python files, without migrations (they are generated)."""
    for path in files():
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield path


def name_of(path: Path) -> str:
    """Return the path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed file."""
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions of a file with a name that tells them apart."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}:{node.name}", node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its decorators and docstring."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def is_short(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether the function keeps its limit."""
    is_table = not any(isinstance(part, STEPS) for part in ast.walk(node))
    return length(node) <= (LONGEST_TABLE if is_table else LONGEST_FUNCTION)


def test_it_keeps_files_short() -> None:
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def test_it_keeps_functions_short() -> None:
    long = {
        name: length(node)
        for path in sources()
        for name, node in functions(path)
        if not is_short(node) and name not in LONG_FUNCTIONS
    }
    assert long == {}


def test_it_justifies_only_functions_that_are_long() -> None:
    long = {n for path in sources() for n, node in functions(path) if not is_short(node)}
    assert set(LONG_FUNCTIONS) <= long
    assert len(LONG_FUNCTIONS) <= 5
    assert all(LONG_FUNCTIONS.values())


def test_it_imports_at_the_top_only() -> None:
    inside = {
        f"{name}:{child.lineno}"
        for path in sources()
        for name, node in functions(path)
        for child in ast.walk(node)
        if isinstance(child, ast.Import | ast.ImportFrom)
    }
    assert inside == set()


def test_it_catches_everything_in_few_places_only() -> None:
    caught = {
        name_of(path)
        for path in sources()
        if path.relative_to(ROOT).parts[0] in PACKAGES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }
    assert caught - set(CATCH_ALL) == set()


def _catches_all(node: ast.ExceptHandler) -> bool:
    if node.type is None:
        return True
    return any(
        isinstance(part, ast.Name) and part.id in ("Exception", "BaseException")
        for part in ast.walk(node.type)
    )


@pytest.mark.parametrize("pattern", [FORBIDDEN, UNFINISHED], ids=["foreign", "unfinished"])
def test_it_has_no_words_that_do_not_belong_here(pattern: re.Pattern[str]) -> None:
    found = []
    for path in files():
        if path.suffix in TEXT_FILES and path != Path(__file__):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{name_of(path)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_it_explains_every_module() -> None:
    filled = (path for path in sources() if path.stat().st_size)
    assert {name_of(path) for path in filled if not ast.get_docstring(tree(path))} == set()


@pytest.mark.parametrize("app", ["organizations", "connections", "syncjobs"])
def test_it_begins_with_one_initial_migration(app: str) -> None:
    found = sorted(path.name for path in (ROOT / app / "migrations").glob("[0-9]*.py"))
    assert found[0] == "0001_initial.py"


def test_it_has_tests_where_it_has_packages() -> None:
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").iterdir()}
    assert set(PACKAGES) <= folders


def test_it_makes_packages_of_all_test_folders() -> None:
    folders = {path.parent for path in sources() if path.is_relative_to(ROOT / "tests")}
    assert {name_of(one) for one in folders if not (one / "__init__.py").exists()} == set()
