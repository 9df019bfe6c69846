"""Which tests a change touches, by the import graph: ``python -m tests.support.touched [BASE]`` prints their files.

A test file is touched if it, a ``conftest.py`` above it, or a helper that it imports names a changed module, or one that
imports a changed module through any number of others. Names in strings count as well: tests start modules as scripts
and replace what they name. What is no Python file counts for the package it lies in; elsewhere in the tree, for the test
files that name it or its folder. What everything depends on touches everything.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "tasks", "raiden_core")
HELPERS = ("tests.support", "benchmarks")
LOOSE_FOLDERS = ("tests", "benchmarks", "docs")
"""Folders whose files have little to do with each other."""
EVERYTHING = ("pyproject.toml", "constraints.txt", "tests/conftest.py")
NAME = re.compile(r"\b(?:flows|tasks|raiden_core|tests\.support|benchmarks)(?:\.\w+)+")


@cache
def names_of(path: Path) -> frozenset[str]:
    """Dotted names of ours in a file: imports, and words in strings."""
    text = path.read_text("utf-8")
    names = set(NAME.findall(text))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(names)


@dataclass(frozen=True)
class House:
    """The test files of a tree, and what each of them names."""

    root: Path

    @cached_property
    def graph(self) -> grimp.ImportGraph:
        """Imports of the packages, those in functions and for types included, and modules that strings name."""
        graph = grimp.build_graph(*PACKAGES, cache_dir=None)
        modules = frozenset(graph.modules)
        for importer in sorted(modules):
            path = self.file_of(importer)
            # A script is started, and a command loaded, by its name.
            for name in NAME.findall(path.read_text("utf-8")) if path is not None else ():
                if name in modules and name != importer:
                    graph.add_import(importer=importer, imported=name)
        return graph

    @cached_property
    def modules(self) -> frozenset[str]:
        """Every module of the packages; the graph would make a new set of them for each question."""
        return frozenset(self.graph.modules)

    @cached_property
    def tests(self) -> list[Path]:
        """Every test file."""
        return sorted((self.root / "tests").rglob("test_*.py"))

    def named_by(self, test: Path) -> set[str]:
        """Names in a test file, in the conftest files above it, and in the helpers that they import, however deep."""
        if test not in self._names:
            self._names[test] = self._read_names(test)
        return self._names[test]

    @cached_property
    def _names(self) -> dict[Path, set[str]]:
        return {}

    def _read_names(self, test: Path) -> set[str]:
        folders = [folder for folder in test.parents if folder.is_relative_to(self.root / "tests")]
        waiting = [test, *(folder / "conftest.py" for folder in folders if (folder / "conftest.py").exists())]
        names: set[str] = set()
        read: set[Path] = set()
        while waiting:
            path = waiting.pop()
            read.add(path)
            found = names_of(path)
            names |= found
            helpers = {self.file_of(name) for name in found if name.startswith(HELPERS)}
            waiting += [helper for helper in helpers if helper is not None and helper not in read]
        return names

    def file_of(self, name: str) -> Path | None:
        """The file of the longest beginning of a dotted name that is a module."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            path = self.root.joinpath(*parts[:length])
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.exists():
                    return file
        return None

    def module_of(self, name: str) -> str | None:
        """The longest beginning of a dotted name that is a module of the packages."""
        parts = name.split(".")
        found = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((module for module in found if module in self.modules), None)

    def changed_modules(self, path: str) -> set[str]:
        """Modules that a changed file stands for: itself, or all of the package in whose folder it lies."""
        pure = PurePosixPath(path)
        if pure.parts[0] not in PACKAGES:
            return set()
        if pure.suffix == ".py":
            return {".".join(pure.with_suffix("").parts).removesuffix(".__init__")}
        package = next(
            ".".join(folder.parts) for folder in pure.parents if (self.root / folder / "__init__.py").exists()
        )
        return {name for name in self.modules if name == package or name.startswith(f"{package}.")}

    def touched(self, changed: Iterable[str]) -> list[Path]:
        """Test files that a change of these files, named from the root, may concern."""
        changed = list(changed)
        if any(path in EVERYTHING for path in changed):
            return self.tests
        modules = set().union(*(self.changed_modules(path) for path in changed)) if changed else set()
        known = modules & self.modules
        reached = known.union(*(self.graph.find_downstream_modules(module) for module in known))
        elsewhere = [PurePosixPath(path) for path in changed if PurePosixPath(path).parts[0] not in PACKAGES]
        return [test for test in self.tests if self._concerns(test, reached | modules, elsewhere)]

    def _concerns(self, test: Path, modules: set[str], elsewhere: list[PurePosixPath]) -> bool:
        names = self.named_by(test)
        if any(name in modules or self.module_of(name) in modules for name in names):
            return True
        helpers = {self.file_of(name) for name in names if name.startswith(HELPERS)}
        read = {test, *helpers, *(folder / "conftest.py" for folder in test.parents)}
        text = test.read_text("utf-8")
        for path in elsewhere:
            by_name = path.suffix != ".py" and path.name in text
            by_folder = path.parts[0] not in LOOSE_FOLDERS and f'"{path.parts[0]}"' in text
            if self.root / path in read or by_name or by_folder:
                return True
        return False


def changed_files(root: Path, base: str) -> list[str]:
    """Files that differ from a commit, with those that git does not know yet, and without those it ignores."""

    def git(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    return git("diff", "--name-only", base) + git("ls-files", "--others", "--exclude-standard")


def main() -> None:
    """Print the touched test files, a line each; or nothing."""
    parser = argparse.ArgumentParser(description="Test files that the changes since a commit touch.")
    parser.add_argument("base", nargs="?", default="HEAD")
    parser.add_argument("--integration", action="store_true", help="those below tests/integration instead of the fast")
    given = parser.parse_args()
    for test in House(ROOT).touched(changed_files(ROOT, given.base)):
        if ("integration" in test.parts) == given.integration:
            sys.stdout.write(f"{test.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
