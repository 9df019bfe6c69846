"""A reward's code, read and not run: where it stands, whether TRL could call it, and a digest of its syntax.

A configuration is looked at in many processes (the flow, `raiden plan`, the cache), and code of the user's runs in none of
them but the one that trains or evaluates. So all that must be known before is read from the syntax tree.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from raiden_core.config.sections.reward import FILE
from raiden_core.config.trl_fields import suggestion
from raiden_core.errors import ConfigError
from raiden_core.samples import Sample
from raiden_core.stages.digests import digest_source

GIVEN = ("prompts", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric")
"""What TRL hands to a reward beside the columns of the data."""
SETTINGS = ("prefilled_think", "min_length_bound", "length_ratio", "partial_credit")
"""Columns that hold settings of the scorer."""


@dataclass(frozen=True)
class Source:
    """Where a reward's function is."""

    file: Path
    function: str
    digest: str
    """Of the file's syntax, and of what it imports from its folder."""


def source_of(use: str, arguments: Mapping[str, object]) -> Source:
    """The source of a user's reward: ``FILE.py:FUNCTION`` or a dotted path.

    Raises:
        ConfigError: there is no such file or function, or TRL could not call it; the message names the reward.
    """
    where = f"rewards: {use}"
    if match := FILE.fullmatch(use):
        file, function = Path(match["file"]).expanduser().absolute(), match["function"]
        if not file.is_file():
            raise ConfigError(f"{where}: there is no file {file}; a relative path begins at the current folder")
    else:
        module, _, function = use.rpartition(".")
        file = _module_file(module, where)
    check_call(file, function, arguments, where)
    return Source(file, function, digest_source(file))


def check_call(file: Path, function: str, arguments: Mapping[str, object], where: str) -> None:
    """Refuse a function that TRL could not call, or that takes none of the arguments.

    What is no function but a value (a call's result, an instance) says nothing of how it is called until it is loaded.

    Raises:
        ConfigError: why it cannot be called.
    """
    definition = _definition(file, function, where)
    if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
        _check_signature(definition, arguments, where)


def _module_file(module: str, where: str) -> Path:
    """The source of a module; its packages are looked for and not imported."""
    path: Sequence[str] | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        # Looking for a submodule by `find_spec` would import its package.
        spec = find_spec(name) if path is None else PathFinder.find_spec(name, path)
        if spec is None:
            raise ConfigError(f"{where}: there is no module {name}; install it, or name a file: FILE.py:FUNCTION")
        path = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ConfigError(f"{where}: {module} has no Python source, by which it could be told from another version")
    return Path(spec.origin)


def _definition(file: Path, function: str, where: str) -> ast.stmt:
    try:
        tree = ast.parse(file.read_text("utf-8-sig"))
    except SyntaxError as error:
        raise ConfigError(f"{where}: {file}: line {error.lineno}: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{where}: {file} cannot be read: {error}") from None
    there: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            there[node.name] = node
        elif isinstance(node, ast.Assign):
            there |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            there |= {(alias.asname or alias.name): node for alias in node.names}
    if function not in there:
        raise ConfigError(f"{where}: {file} defines no {function!r}{suggestion(function, list(there))}")
    return there[function]


def _check_signature(
    definition: ast.FunctionDef | ast.AsyncFunctionDef, arguments: Mapping[str, object], where: str
) -> None:
    given = definition.args
    shape = f"def {definition.name}(completions, **columns)"
    if given.posonlyargs:
        raise ConfigError(f"{where}: everything is handed over by name; write {shape}, without /")
    if given.kwarg is None:
        raise ConfigError(f"{where}: every column of the data is handed over by name; write {shape}, with **columns")
    named = [one.arg for one in (*given.args, *given.kwonlyargs)]
    optional = {one.arg for one in given.args[len(given.args) - len(given.defaults) :]}
    optional |= {one.arg for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value is not None}
    known = [*GIVEN, *Sample.model_fields, *SETTINGS]
    for name in named:
        if name not in known and name not in optional and name not in arguments:
            raise ConfigError(
                f"{where}: nothing is handed over under the name {name!r}{suggestion(name, known)}; "
                "give it a default, or a value in arguments"
            )
    for name in arguments:
        if name not in named:
            raise ConfigError(f"{where}: arguments.{name}: it takes none of that name{suggestion(name, named)}")
        if name in GIVEN:
            raise ConfigError(f"{where}: arguments.{name}: the trainer hands this over itself; remove it")
