"""YAML to rows, without its types and without its dangers.

Every scalar stays the text that its author wrote (a birthday is no date object, ``no`` is no boolean), tags are
refused, and what an alias stands for counts as often as it is used, so that nothing can explode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from raiden_core.characters.rows import MAX_DEPTH, Rows, Unreadable, Value
from raiden_core.characters.structured import rows_of_value
from raiden_core.text.strict_yaml import YamlFault, check_shape, fault_of, line_of, repeated_key

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
        _refuse_tags(check_shape(text, MAX_DEPTH, MAX_YAML_VALUES))
        builder = _Builder(max(4 * len(text), MIN_ALIAS_CHARS))
        documents = [builder.build(node)[0] for node in yaml.compose_all(text, Loader=_loader())]
    except yaml.YAMLError as error:
        raise Unreadable(fault_of(error)) from None
    except YamlFault as error:
        raise Unreadable(str(error)) from None
    documents = [value for value in documents if value is not None]
    if not documents:
        raise Unreadable("an empty file")
    yield from rows_of_value(documents[0] if len(documents) == 1 else documents)


def _loader() -> type:
    import yaml

    return cast(type, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def _refuse_tags(tagged: list[yaml.Event]) -> None:
    for event in tagged:
        tag = getattr(event, "tag", None)
        if tag not in ("!", "tag:yaml.org,2002:str"):
            raise Unreadable(f"line {line_of(event)}: the tag {tag!r} is not read; leave it out")


class _Builder:
    """Plain values of composed nodes; what an alias stands for is counted every time it is used."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
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
        line = line_of(node)
        if id(node) in self.open:
            raise Unreadable(f"line {line}: an alias that contains itself")
        if isinstance(node, yaml.MappingNode) and (fault := repeated_key(node)):
            raise Unreadable(fault)
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
                fields[key.value] = item
        self.open.discard(id(node))
        self.done[id(node)] = (fields if isinstance(node, yaml.MappingNode) else items), size
        return self.done[id(node)]
