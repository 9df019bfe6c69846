"""Replies without a model: the same request always gets the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def echo(chat: Mapping[str, Any]) -> str:
    """A reply that depends on the messages only: a sentence, or JSON where a schema is asked for."""
    digest = hashlib.sha256(json.dumps(chat["messages"], sort_keys=True).encode()).hexdigest()
    form = chat.get("response_format")
    if form is None:
        return f"You said {chat['messages'][-1]['content'][:80]}, which comes to {digest[:16]}."
    return json.dumps(fitting(form["json_schema"]["schema"], digest), ensure_ascii=False)


def fitting(schema: Mapping[str, Any], digest: str) -> Any:
    """A value that satisfies a flat schema; strings and choices follow ``digest``."""
    if "enum" in schema:
        return schema["enum"][int(digest[:4], 16) % len(schema["enum"])]
    kind = schema.get("type", "object")
    if kind == "object":
        properties: Mapping[str, Any] = schema.get("properties", {})
        return {name: fitting(part, digest[index % 32 :]) for index, (name, part) in enumerate(properties.items())}
    if kind == "array":
        return [fitting(schema.get("items", {"type": "string"}), digest)] * int(schema.get("minItems", 1))
    simple = {"string": digest[:12], "integer": int(digest[:2], 16), "number": 0.5, "boolean": digest[0] < "8"}
    return simple.get(kind)
