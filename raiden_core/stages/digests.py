"""Digests of what a stage depends on: files, folders, and the code of its modules.

Code counts by its syntax tree without docstrings, those of fields included (comments are not in it), so that a better
comment does not throw away an hour of training. A module's digest covers every module of raiden_core that it imports,
and the data files that lie beside them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from raiden_core.errors import DataError

PACKAGE = Path(__file__).parents[1]
NEUTRAL = frozenset(
    {
        "config",
        "config.docs",
        "config.loading",
        "config.tree",
        "config.trl_fields",
        "errors",
        "stages",
        "stages.digests",
        "stages.folder",
        "stages.progress",
        "stages.run",
        "stages.versions",
    }
)
"""Modules that no stage's result depends on: their values reach a stage through its section and inputs."""
BIG_FILE = 64 << 20
"""Files above so many bytes are digested by size, first and last piece, and pieces in between."""
PIECE, PIECES = 1 << 16, 256


def digest_bytes(content: bytes) -> str:
    """sha256, as hex digits."""
    return hashlib.sha256(content).hexdigest()


def digest_file(path: Path) -> str:
    """sha256 of a file's content; of a big file (weights) its size and 256 pieces spread over it.

    Hashing 30 GB on every look would take minutes, and no training leaves those pieces as they were.
    """
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if size <= BIG_FILE:
            digest.update(file.read())
        else:
            digest.update(f"{size}\n".encode())
            for number in range(PIECES):
                file.seek((size - PIECE) * number // (PIECES - 1))
                digest.update(file.read(PIECE))
    return digest.hexdigest()


def digest_path(path: Path) -> str:
    """Digest of a file, or of all files below a folder by relative name and content.

    Raises:
        DataError: there is no such file or folder.
    """
    if path.is_file():
        return digest_file(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder")
    lines = [
        f"{file.relative_to(path)} {digest_file(file)}\n"
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return digest_bytes("".join(lines).encode("utf-8", "surrogateescape"))


@functools.cache
def digest_code(*modules: str) -> str:
    """Digest of modules of raiden_core (dotted names), of all that they import from it, and of their data files."""
    files: set[Path] = set()
    syntax: dict[Path, str] = {}
    waiting = [module_file(module) for module in modules]
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        imports, syntax[file] = _read(file, file.stat().st_mtime_ns)
        waiting += [found for found in imports if found not in files]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(PACKAGE)).encode())
        digest.update(syntax[file].encode())
    for data in sorted(_data_files({file.parent for file in files if file.parent != PACKAGE})):
        digest.update(f"{data.relative_to(PACKAGE)} {digest_file(data)}".encode())
    return digest.hexdigest()


def digest_source(file: Path) -> str:
    """Digest of a Python file that is not raiden's, and of the files and packages of its own folder that it imports.

    What it imports from elsewhere is installed, and does not count.

    Raises:
        DataError: one of them is no Python that can be read.
    """
    trees = source_files(file)
    digest = hashlib.sha256()
    for one in sorted(trees):
        # The first file counts by what is in it, wherever it is and whatever it is called.
        name = "" if one == file else str(one.relative_to(file.parent))
        digest.update(f"{name} {_syntax(trees[one])}\n".encode())
    return digest.hexdigest()


def source_files(file: Path) -> dict[Path, ast.Module]:
    """A Python file and those of its folder that it imports, directly or not, with their syntax.

    Raises:
        DataError: one of them is no Python that can be read.
    """
    trees: dict[Path, ast.Module] = {}
    waiting = [file]
    while waiting:
        one = waiting.pop()
        if one in trees:
            continue
        try:
            trees[one] = ast.parse(one.read_text("utf-8-sig"))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{one}: cannot be read: {error}") from None
        waiting += _own_imports(trees[one], file.parent)
    return trees


def _own_imports(tree: ast.Module, folder: Path) -> list[Path]:
    """The files below a folder that a module imports by names that begin there."""
    found = []
    for node in ast.walk(tree):
        for name in _imported_names(node):
            parts = name.split(".")
            packages = [folder.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1)]
            found += [path for path in (*packages, folder.joinpath(*parts).with_suffix(".py")) if path.is_file()]
    return found


def _imported_names(node: ast.AST) -> list[str]:
    """The dotted names that a statement may import; none where it is no import, or a relative one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def module_file(module: str) -> Path:
    """The file of a module of raiden_core (a dotted name)."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _read(file: Path, _changed: int) -> tuple[list[Path], str]:
    """What a module imports, and its syntax; stages share most modules, so each is parsed once."""
    tree = ast.parse(file.read_text("utf-8"))
    return _imports(tree), _syntax(tree)


def _imports(tree: ast.Module) -> list[Path]:
    found = []
    for node in _statements(tree):
        for name in _imported_names(node):
            package, _, inner = name.partition(".")
            if package != PACKAGE.name or not inner or inner in NEUTRAL:
                continue
            path = module_file(name)
            if path.is_file():
                found.append(path)
    return found


def _syntax(tree: ast.Module) -> str:
    for node in [tree, *_statements(tree)]:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return ast.dump(tree)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements of a module, whatever they stand in; expressions, most of a tree's nodes, hold none and are passed by."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, ())
            if isinstance(inner, list):  # the body of a lambda or of a conditional expression is none
                yield from inner
                waiting += inner


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is only a string: a docstring of a module, class, function or field."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _data_files(folders: Iterable[Path]) -> set[Path]:
    """Data beside code: templates, tables and word lists, also in folders that hold no code of their own.

    The shipped characters are left out: they are inputs, named by the configuration like anybody's files.
    """
    data: set[Path] = set()
    for folder in folders:
        for path in folder.rglob("*"):
            inner = path.relative_to(folder).parts
            if (
                path.is_file()
                and path.suffix not in (".py", ".pyc")
                and "__pycache__" not in inner
                and "shipped" not in inner
            ):
                data.add(path)
    return data
