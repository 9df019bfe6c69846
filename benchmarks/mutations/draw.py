"""Ways to break a line, found in the syntax tree: what a slip of the hand or a careless merge would leave behind.

A mutant replaces the text of one node and leaves the rest of the file as it is. Which ones are tried is a seeded draw
over all that a module offers, so that nobody chooses lines that the tests happen to cover.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
SOME_SECTION = ("section", "settings")
"""Names of variables that hold one section or another."""
TALKERS = ("progress", "say", "warn", "echo", "info", "debug", "warning", "secho", "style")
"""Calls whose arguments are words for a reader."""


@dataclass(frozen=True)
class Mutant:
    """One broken line."""

    path: str
    place: str
    """Function or class it lies in."""
    kind: str
    start: int
    end: int
    """Bytes of the file that are replaced."""
    before: str
    after: str
    line: int
    number: int = 1
    """Of those that are alike in one function."""

    @property
    def key(self) -> str:
        """Name that stays as long as the broken text and its function do."""
        digest = hashlib.sha256(f"{self.kind}\n{self.before}\n{self.after}".encode()).hexdigest()
        return f"{self.path}:{self.place}:{digest[:8]}" + (f"-{self.number}" if self.number > 1 else "")

    def apply(self, source: bytes) -> bytes:
        """The file with this damage."""
        return source[: self.start] + self.after.encode() + source[self.end :]


class Siblings:
    """For a field of the configuration, the fields beside it that hold the same type."""

    def __init__(self, sections: Sequence[Path]) -> None:
        trees = [ast.parse(path.read_text("utf-8")) for path in sections]
        self._fields: dict[str, dict[str, str]] = {}
        """For each class its fields with their types."""
        for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            self._fields[node.name] = {
                one.target.id: ast.unparse(one.annotation)
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }

    def of(self, node: ast.Attribute) -> list[str]:
        """Names that somebody could have typed instead: ``evaluation.samples`` for ``evaluation.controls``."""
        owner = _last_name(node.value)
        if owner in SOME_SECTION:
            classes = [fields for fields in self._fields.values() if node.attr in fields]
        else:
            kinds = {fields[owner] for fields in self._fields.values() if owner in fields} | {owner.capitalize()}
            classes = [self._fields[kind] for kind in kinds if node.attr in self._fields.get(kind, {})]
        same = {name for fields in classes for name, kind in fields.items() if kind == fields[node.attr]}
        return sorted(same - {node.attr})


def mutants_of(root: Path, path: str, siblings: Siblings) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    source = (root / path).read_bytes()
    return list(_Walk(path, source, siblings).found())


def drawn(offers: Mapping[str, Sequence[Mutant]], count: int, seed: int) -> list[Mutant]:
    """So many mutants, in turns from each module and there from each kind of damage; no two on one line."""
    draw = random.Random(seed)
    piles = {path: _in_turns(draw.sample(list(mutants), len(mutants))) for path, mutants in sorted(offers.items())}
    chosen: list[Mutant] = []
    while len(chosen) < count and any(piles.values()):
        for pile in piles.values():
            if pile and len(chosen) < count:
                chosen.append(pile.pop(0))
                pile[:] = [one for one in pile if one.line != chosen[-1].line]
    return chosen


def _in_turns(mutants: Sequence[Mutant]) -> list[Mutant]:
    """The same, one of each kind first, then a second one of each."""
    so_far: Counter[str] = Counter()
    turns = []
    for mutant in mutants:
        so_far[mutant.kind] += 1
        turns.append(so_far[mutant.kind])
    return [mutant for _, mutant in sorted(zip(turns, mutants, strict=True), key=lambda pair: pair[0])]


class _Walk:
    def __init__(self, path: str, source: bytes, siblings: Siblings) -> None:
        self.path, self.source, self.siblings = path, source, siblings
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def found(self) -> Iterator[Mutant]:
        alike: Counter[str] = Counter()
        for mutant in self._visit(ast.parse(self.source), "module"):
            alike[mutant.key] += 1
            yield replace(mutant, number=alike[mutant.key])

    def _visit(self, node: ast.AST, place: str) -> Iterator[Mutant]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            place = node.name if place == "module" else f"{place}.{node.name}"
        for kind, old, new in self._broken(node):
            yield self._mutant(place, kind, old, new)
        for child in self._children(node):
            yield from self._visit(child, place)

    def _children(self, node: ast.AST) -> Iterator[ast.AST]:
        """What lies below, without words for a reader, annotations, decorators and what is there for types alone."""
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return
        if isinstance(node, ast.If) and _is_for_types(node.test):
            return
        if isinstance(node, ast.Call) and _last_name(node.func) in TALKERS:
            return
        for name, value in ast.iter_fields(node):
            if isinstance(node, ast.Subscript) and name == "slice" and isinstance(value, ast.Tuple):
                continue  # parameters of a type
            if name in ("annotation", "returns", "decorator_list", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    yield child

    def _broken(self, node: ast.AST) -> Iterator[tuple[str, ast.expr, ast.expr]]:
        """Kinds of damage to a node, as the expression replaced and what stands there instead."""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            for sibling in self.siblings.of(node):
                yield "field of its sibling", node, ast.Attribute(node.value, sibling, ast.Load())
        for broken in (_broken_call, _broken_condition, _broken_collection, _broken_value):
            yield from broken(node)

    def _mutant(self, place: str, kind: str, old: ast.expr, new: ast.expr) -> Mutant:
        assert old.end_lineno is not None and old.end_col_offset is not None
        start = self.starts[old.lineno - 1] + old.col_offset
        end = self.starts[old.end_lineno - 1] + old.end_col_offset
        # In parentheses, because a comparison may stand where only a tighter expression may.
        text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(new)))
        loose = isinstance(new, (ast.UnaryOp, ast.BoolOp, ast.Compare, ast.BinOp))
        return Mutant(
            self.path,
            place,
            kind,
            start,
            end,
            self.source[start:end].decode(),
            f"({text})" if loose else text,
            old.lineno,
        )


Broken = Iterator[tuple[str, ast.expr, ast.expr]]


def _broken_call(node: ast.AST) -> Broken:
    if isinstance(node, ast.Call) and _last_name(node.func) not in TALKERS:
        for number, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                yield "argument dropped", node, _without(node, "keywords", number)
        for number, (one, other) in enumerate(pairwise(node.args)):
            if _alike(one, other):
                yield "arguments swapped", node, _swapped(node, number)


def _broken_condition(node: ast.AST) -> Broken:
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not _is_for_types(node.test):
        yield "condition negated", node.test, ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield "condition negated", test, ast.UnaryOp(ast.Not(), test)
    if isinstance(node, ast.BoolOp):
        yield "and or or", node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITES:
        opposite = OPPOSITES[type(node.ops[0])]()
        yield "comparison changed", node, ast.Compare(node.left, [opposite, *node.ops[1:]], node.comparators)


def _broken_collection(node: ast.AST) -> Broken:
    if isinstance(node, ast.Dict):
        for number in range(len(node.keys)):
            yield "entry dropped", node, _without(_without(node, "keys", number), "values", number)
    if isinstance(node, ast.Tuple):
        # One of other things is taken apart by somebody who counts on its length.
        loose = isinstance(node.ctx, ast.Load) and all(isinstance(one, ast.Constant) for one in node.elts)
    else:
        loose = isinstance(node, ast.Set) or (isinstance(node, ast.List) and isinstance(node.ctx, ast.Load))
    if loose and isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1:
        for number in range(len(node.elts)):
            yield "element dropped", node, _without(node, "elts", number)


def _broken_value(node: ast.AST) -> Broken:
    if isinstance(node, ast.Constant):
        new = _other_constant(node.value)
        if new is not None:
            yield "constant changed", node, ast.Constant(new)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign changed", node, ast.BinOp(node.left, other, node.right)


def _is_for_types(test: ast.expr) -> bool:
    return ast.unparse(test).endswith("TYPE_CHECKING")


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _alike(one: ast.expr, other: ast.expr) -> bool:
    """Whether two arguments could be taken for each other."""
    named = (ast.Name, ast.Attribute)
    if isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
        return type(one.value) is type(other.value) and one.value != other.value
    return isinstance(one, named) and isinstance(other, named) and ast.unparse(one) != ast.unparse(other)


def _without(node: ast.expr, field: str, number: int) -> ast.expr:
    other = copy.copy(node)
    rest = list(getattr(node, field))
    del rest[number]
    setattr(other, field, rest)
    return other


def _swapped(node: ast.Call, number: int) -> ast.Call:
    other = copy.copy(node)
    other.args = list(node.args)
    other.args[number], other.args[number + 1] = other.args[number + 1], other.args[number]
    return other


def _other_constant(value: object) -> str | int | float | None:
    """Another value of the same type; None where a change would be one of wording, or none: utf-8_ is utf-8 to Python."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str) and value != "utf-8" and IDENTIFIER.fullmatch(value):
        return f"{value}_"
    return None
