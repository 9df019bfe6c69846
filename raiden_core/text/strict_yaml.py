"""YAML that people write for us, read strictly: no key twice, nothing that explodes, nothing nested without end.

PyYAML lets the last of two equal keys win without a word, so that a setting which stands twice in a file is not the
one that its author reads first. An alias costs nothing to write and everything to copy, so what aliases stand for is
counted before a value is built.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_DEPTH = 64
"""Levels of nesting. Deeper than this nothing that a person wrote is, and a parser's stack has an end."""
MAX_VALUES = 100_000
"""Values of a settings file, what its aliases stand for included."""

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFault(ValueError):
    """YAML that is broken, or that is not taken; the message names the line and is one line itself."""


def load_strict(text: str) -> Any:
    """The one document in YAML text, as `yaml.safe_load` would build it; None for an empty one.

    Raises:
        YamlFault: it is broken, holds a key twice, is nested too deeply, or its aliases stand for too much.
    """
    try:
        check_shape(text, MAX_DEPTH, MAX_VALUES)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check_node(node, {}, set())
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise YamlFault(fault_of(error)) from None
    except YamlFault:
        raise
    except (ValueError, OverflowError) as error:  # a date that does not exist, a number of thousands of digits
        raise YamlFault(f"broken YAML: {' '.join(str(error).split())}") from None


def check_shape(text: str, depth: int, values: int) -> list[yaml.Event]:
    """Count nesting and values by events alone, which no depth can hurt, before anything recursive looks at the text.

    Returns:
        The events that carry a tag, for who allows some of them only.

    Raises:
        YamlFault: more than ``depth`` levels or ``values`` values.
        yaml.YAMLError: the text is broken.
    """
    level = nodes = 0
    tagged: list[yaml.Event] = []
    for event in yaml.parse(text, Loader=_Loader):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if level > depth or nodes > values:
            limit = f"nested more than {depth} deep" if level > depth else f"more than {values:,} values"
            raise YamlFault(f"broken YAML at line {line_of(event)}: {limit}")
        if getattr(event, "tag", None) is not None:
            tagged.append(event)
    return tagged


def fault_of(error: yaml.YAMLError) -> str:
    """What a parser's error says, in one line with its place."""
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    if "nesting depth" in problem:  # PyYAML 6.0.4 and newer have a limit of their own, and may come to it first
        problem = "nested too deeply"
    return f"broken YAML{place}: {problem}"


def line_of(part: yaml.Event | yaml.Node) -> int:
    """The line, counted from one, at which an event or a node begins."""
    return part.start_mark.line + 1 if part.start_mark else 1


def repeated_key(node: yaml.MappingNode) -> str | None:
    """What is wrong where a mapping holds a key twice: the key and both lines; None where each stands once."""
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            first = seen.setdefault((key.tag, key.value), key)
            if first is not key:
                return f"lines {line_of(first)} and {line_of(key)}: {key.value!r} stands twice; keep one"
    return None


def _check_node(node: yaml.Node, weights: dict[int, int], open_nodes: set[int]) -> int:
    """How many values a node stands for, aliases written out."""
    if id(node) in weights:
        return weights[id(node)]
    if id(node) in open_nodes:
        raise YamlFault(f"line {line_of(node)}: an alias that contains itself")
    if isinstance(node, yaml.ScalarNode):
        return 1
    open_nodes.add(id(node))
    if isinstance(node, yaml.MappingNode) and (fault := repeated_key(node)):
        raise YamlFault(fault)
    weight = 1
    for entry in node.value:
        for child in entry if isinstance(node, yaml.MappingNode) else (entry,):
            weight += _check_node(child, weights, open_nodes)
        if weight > MAX_VALUES:
            raise YamlFault(f"line {line_of(node)}: its aliases stand for more than {MAX_VALUES:,} values")
    open_nodes.discard(id(node))
    weights[id(node)] = weight
    return weight
