"""Imports a reward's function: the one place where code of the user's begins to run.

It is called by the process that trains, evaluates, scores or tries rewards, for what the configuration names, and for
nothing else: no data, no card and no model can name a function.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from raiden_core.config.sections.reward import FILE
from raiden_core.errors import ConfigError
from raiden_core.rewards.listed.chosen import ChosenReward

Function = Any
"""Called by name with TRL's arguments; gives a value a completion, or a coroutine of them."""


def load_function(chosen: ChosenReward) -> Function:
    """The function of a reward that is no judge, with its arguments bound.

    Raises:
        ConfigError: importing it fails, or what is there cannot be called.
    """
    where = f"rewards: {chosen.name}"
    if match := FILE.fullmatch(chosen.place):
        module, name = _module_of_file(Path(match["file"]), where), match["function"]
    else:
        path, _, name = chosen.place.rpartition(".")
        module = _imported(path, where)
    function = getattr(module, name, None)
    if not callable(function) or inspect.isclass(function):
        raise ConfigError(f"{where}: {chosen.place} is no function")
    return functools.partial(function, **chosen.arguments) if chosen.arguments else function


def is_asynchronous(function: Function) -> bool:
    """Whether calling a function gives a coroutine."""
    inner = function.func if isinstance(function, functools.partial) else function
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__)


def _module_of_file(file: Path, where: str) -> ModuleType:
    name = f"raiden_own_rewards_{file.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(file):
        return loaded
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{where}: {file} is no Python file")
    module = module_from_spec(spec)
    # As for any script, what lies beside the file can be imported by its name; its own imports may come later.
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{where}: {file} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _imported(path: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except Exception as error:
        raise ConfigError(f"{where}: {path} cannot be imported: {type(error).__name__}: {error}") from error
