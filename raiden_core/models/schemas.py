"""JSON schemas of replies, from pydantic models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel


@cache
def schema_of(shape: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of a reply, without references, titles and descriptions; not to be changed."""
    schema = shape.model_json_schema()
    definitions = schema.pop("$defs", {})
    resolved: dict[str, Any] = _plain(schema, definitions)
    return resolved


@cache
def example_of(shape: type[BaseModel]) -> str:
    """A reply of this shape as JSON, for servers that know no schema and for models that read one badly."""
    return json.dumps(_example(schema_of(shape)), ensure_ascii=False)


def bounded(schema: Mapping[str, Any], most: Mapping[str, int]) -> Mapping[str, Any]:
    """The schema with at most so many items in the named lists of its top level."""
    if not most:
        return schema
    fields = {
        name: {**field, "maxItems": most[name]} if name in most else field
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


def _example(node: Mapping[str, Any]) -> Any:
    if "enum" in node:
        return "|".join(node["enum"])
    if node["type"] == "object":
        return {name: _example(field) for name, field in node["properties"].items()}
    if node["type"] == "array":
        return [_example(node["items"])]
    return {"string": "…", "integer": 1, "boolean": True}[node["type"]]


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            plain[key] = {name: _plain(field, definitions) for name, field in value.items()}
        elif key not in ("title", "description"):
            plain[key] = _plain(value, definitions)
    return plain
