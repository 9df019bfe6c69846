"""Plain text and Markdown to drafts: one character a file, blocks that each begin with a name, headings, or
``<Character Setting>`` blocks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from raiden_core.characters.drafts import DESCRIPTION, NAME, Draft, draft_of_text
from raiden_core.characters.fields import is_made_of_fields, split_fields, with_owners
from raiden_core.characters.keys import (
    DESCRIPTION_KEYS,
    GENERIC_TITLES,
    NAME_KEYS,
    SECTION_TITLES,
    WEAK_NAME_KEYS,
    fold_key,
    is_name_key,
)
from raiden_core.characters.lines import Field, field_of_line
from raiden_core.characters.owners import PATH, is_other, is_relations, joined

_TAG = re.compile(r"<(?P<end>/?)\s{0,9}character[ _-]?setting\s{0,9}>", re.IGNORECASE)
_RULE = re.compile(r"[ \t]*([-=*_#~])(?:[ \t]*\1){2,}[ \t]*")
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S[^\r\n]*)\s*")
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class _Section:
    start: int
    """Where its heading begins in the text."""
    level: int
    title: str
    body: str
    """The lines up to the next heading of any level."""
    whole: str
    """The section with all of its subsections, heading included."""


def setting_blocks(text: str) -> Iterator[str]:
    """The bodies of the ``<Character Setting>`` blocks; one that is never closed runs to the next one or the end."""
    if "<" not in text:
        return
    start: int | None = None
    for tag in _TAG.finditer(text):
        if start is not None:
            yield text[start : tag.start()].strip("\r\n")
        start = None if tag["end"] else tag.end()
    if start is not None:
        yield text[start:].strip("\r\n")


def drafts_of_text(text: str, markdown: bool = False) -> list[Draft]:
    """The drafts of all characters of a text."""
    blocks = list(setting_blocks(text))
    if blocks:
        return [draft_of_text(block) for block in blocks]
    if markdown or re.match(r"\s*# \S", text):
        sections = _sections(text)
        if sections:
            return _drafts_of_sections(text, sections)
    return [draft_of_text(block) for block in _blocks_by_name(text)]


def _blocks_by_name(text: str) -> list[str]:
    """The text cut before each line that has the first name line's key; whole where there is at most one."""
    lines = text.splitlines(keepends=True)
    fields = with_owners([line.rstrip("\r\n") for line in lines])
    names = [number for number, item in enumerate(fields) if item is not None and is_name_key(item.key) and item.value]
    if not names:
        return [text]
    first_key = _key_at(fields, names[0])
    starts = [number for number in names if _key_at(fields, number) == first_key]
    if len(starts) < 2:
        return [text]
    edges = [0, *starts[1:], len(lines)]
    return [_without_rules(lines[start:end]) for start, end in itertools.pairwise(edges)]


def _key_at(fields: list[Field | None], number: int) -> str:
    item = fields[number]
    return "" if item is None else fold_key(item.key)


def _without_rules(lines: list[str]) -> str:
    """A block without the blank lines and rules (``---``) that part it from its neighbours."""
    start, end = 0, len(lines)
    while start < end and (not lines[start].strip() or _RULE.fullmatch(lines[start].rstrip("\r\n"))):
        start += 1
    while end > start and (not lines[end - 1].strip() or _RULE.fullmatch(lines[end - 1].rstrip("\r\n"))):
        end -= 1
    return "".join(lines[start:end])


def _sections(text: str) -> list[_Section]:
    heads: list[tuple[int, int, int, str]] = []
    fenced = False
    place = 0
    for line in text.splitlines(keepends=True):
        fenced ^= line.lstrip().startswith("```")
        match = None if fenced else _HEADING.fullmatch(line)
        if match is not None:
            heads.append((place, place + len(line), len(match[1]), match[2].strip(" \t#*_`")))
        place += len(line)
    found: list[_Section] = []
    # From the last to the first: where the next heading of each level begins is where a section of it ends.
    ends = [len(text)] * 7
    following = len(text)
    for start, after, level, title in reversed(heads):
        found.append(_Section(start, level, title, text[after:following], text[start : min(ends[: level + 1])]))
        ends[level] = following = start
    return found[::-1]


def _drafts_of_sections(text: str, sections: list[_Section]) -> list[Draft]:
    top = min(section.level for section in sections)
    heads = [section for section in sections if section.level == top]
    inner = [section for section in sections if section.level == top + 1]
    if len(heads) == 1 and inner and (fold_key(heads[0].title) in GENERIC_TITLES or _all_characters(inner)):
        heads = inner
    elif len(heads) == 1:
        return [_draft_of_document(text, sections, _title_name(heads[0].title))]
    if not _all_characters(heads) and len(heads) > 1:
        return [_draft_of_document(text, sections, None)]
    return [_draft_of_document(head.whole.rstrip(), _sections(head.whole), _title_name(head.title)) for head in heads]


def _all_characters(heads: list[_Section]) -> bool:
    return len(heads) > 1 and all(_is_about_somebody(head) for head in heads)


def _is_about_somebody(section: _Section) -> bool:
    """Whether a heading is a name: it is no common section title, and what follows speaks of it or lists fields."""
    title = _title_name(section.title)
    if title is None or fold_key(title) in SECTION_TITLES | DESCRIPTION_KEYS | NAME_KEYS:
        return False
    body = section.whole.split("\n", 1)[-1]
    fields = split_fields(body).fields
    return len(fields) >= 2 or any(word in body for word in re.split(r"[\s·・「」\"“”,，(（]+", title) if len(word) > 1)


def _title_name(title: str) -> str | None:
    """The name that a heading gives: ``Alice``, or ``Character: Alice``; None for a heading of another kind."""
    item = field_of_line(title)
    if item is not None:
        return item.value or None if fold_key(item.key) in NAME_KEYS | WEAK_NAME_KEYS else None
    folded = fold_key(title)
    if folded in SECTION_TITLES | DESCRIPTION_KEYS | GENERIC_TITLES | NAME_KEYS or len(title) > 80:
        return None
    return title


def _draft_of_document(text: str, sections: list[_Section], title: str | None) -> Draft:
    """One character written as a document: every section a field, and the lines of fields in them fields as well."""
    name, name_key = None, ""
    fields: list[Field] = []
    lead = text[: sections[0].start]
    matter = _FRONT_MATTER.match(lead)
    if matter is not None:
        lead = matter[1] + lead[matter.end() :]
    parts = [("", lead)] if lead.strip() else []
    parts += [(section.title, section.body) for section in sections]
    levels = [0] * (len(parts) - len(sections)) + [section.level for section in sections]
    above: list[tuple[int, str]] = []
    for level, (heading, body) in zip(levels, parts, strict=True):
        above = [item for item in above if item[0] < level]
        owners = tuple(inner for _, inner in above)
        above.append((level, heading))
        # Sections about the family and other people, and all that stands within them, are not about the character.
        if _is_about_others(heading) or any(_is_about_others(inner) for inner in owners):
            fields += _fields_of_others((*owners, heading), body, title)
            continue
        if is_name_key(heading) and body.strip():
            name, name_key = name or body.strip().split("\n", 1)[0].strip(), heading
            continue
        inner = split_fields(body)
        single = len(inner.fields) == 1 and not inner.plain_lines
        if not (is_made_of_fields(inner) or single):
            key = heading if heading and _title_name(heading) != title else DESCRIPTION
            fields.append(Field(key, body.strip()))
            continue
        if inner.lead:
            fields.append(Field(DESCRIPTION, inner.lead))
        for item in inner.fields:
            if is_name_key(item.key) and name is None:
                name, name_key = item.value.split("\n", 1)[0].strip(), item.key
            else:
                fields.append(item)
    return Draft(name or title, name_key or NAME, tuple(item for item in fields if item.value), text)


def _is_about_others(heading: str) -> bool:
    return is_other(heading) or is_relations(heading)


def _fields_of_others(headings: tuple[str, ...], body: str, title: str | None) -> list[Field]:
    """What a section about other people says: its fields by their path, or its text under its heading."""
    path = tuple(heading for heading in headings if heading and _title_name(heading) != title)
    inner = split_fields(body)
    if not inner.fields:
        return [Field(joined(path[:-1], path[-1]), body.strip())]
    found = [Field(joined(path[:-1], path[-1]), inner.lead)] if inner.lead else []
    for item in inner.fields:
        own = PATH not in item.key and is_relations(path[-1]) and is_other(item.key)
        found.append(Field(item.key if own else joined(path, item.key), item.value))
    return found
