"""YAML to rows, without its types and without its dangers.

Every scalar stays the text that its author wrote (a birthday is no date object, ``no`` is no boolean), tags are
refused, and what an alias stands for counts as often as it is used, so that nothing can explode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from raiden_core.characters.rows import MAX_DEPTH, Rows, Unreadable, Value
from raiden_core.characters.structured import notes_on, rows_of_value

if TYPE_CHECKING:
    import yaml

MAX_YAML_VALUES = 600_000
"""Values of a YAML file; what the parser builds for each takes many times the value's own bytes."""
MIN_ALIAS_CHARS = 1_000_000
"""Aliases may stand for this much text, or for four times the file where that is more."""


def yaml_rows(text: str) -> Rows:
    """The rows of YAML text: a mapping, a list, a mapping keyed by name, or several documents.

    Raises:
        Unreadable: it is not plain YAML; the reason names the line.
    """
    import yaml

    try:
        _check_events(text)
        builder = _Builder(max(4 * len(text), MIN_ALIAS_CHARS))
        documents = [builder.build(node)[0] for node in yaml.compose_all(text, Loader=_loader())]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise Unreadable(f"broken YAML at {place}{error.problem}") from None
    except yaml.YAMLError as error:
        raise Unreadable(f"broken YAML: {str(error).splitlines()[0]}") from None
    documents = [value for value in documents if value is not None]
    if not documents:
        raise Unreadable("an empty file")
    yield from notes_on(None, builder.repeated)
    yield from rows_of_value(documents[0] if len(documents) == 1 else documents)


def _loader() -> type:
    import yaml

    return cast(type, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def _check_events(text: str) -> None:
    """Refuse tags and deep nesting before anything recursive looks at the text."""
    import yaml

    depth = nodes = 0
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH or nodes > MAX_YAML_VALUES:
            line = _line(event)
            limit = (
                f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"more than {MAX_YAML_VALUES:,} values"
            )
            raise Unreadable(f"line {line}: {limit}; no character file is")
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            raise Unreadable(f"line {_line(event)}: the tag {tag!r} is not read; leave it out")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Builder:
    """Plain values of composed nodes; what an alias stands for is counted every time it is used."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.repeated: list[str] = []
        self.done: dict[int, tuple[Value, int]] = {}
        self.open: set[int] = set()

    def build(self, node: yaml.Node) -> tuple[Value, int]:
        """The value of a node, and its size in characters and containers, aliases written out."""
        import yaml

        if isinstance(node, yaml.ScalarNode):
            empty = not node.style and node.value in ("", "~", "null", "Null", "NULL")
            return (None if empty else node.value), len(node.value) + 1
        if id(node) in self.done:
            return self.done[id(node)]
        line = node.start_mark.line + 1
        if id(node) in self.open:
            raise Unreadable(f"line {line}: an alias that contains itself")
        self.open.add(id(node))
        size = 1
        items: list[Value] = []
        fields: dict[str, Value] = {}
        for entry in node.value:
            key, child = entry if isinstance(node, yaml.MappingNode) else (None, entry)
            item, weight = self.build(child)
            size += weight
            if size > self.budget:
                raise Unreadable(f"line {line}: its aliases stand for more than {self.budget:,} characters")
            if key is None:
                items.append(item)
            elif not isinstance(key, yaml.ScalarNode):
                raise Unreadable(f"line {line}: a key that is not plain text")
            elif key.value == "<<" and not key.style and isinstance(item, dict):
                fields = {**item, **fields}
            else:
                if key.value in fields:
                    self.repeated.append(key.value)
                fields[key.value] = item
        self.open.discard(id(node))
        self.done[id(node)] = (fields if isinstance(node, yaml.MappingNode) else items), size
        return self.done[id(node)]
