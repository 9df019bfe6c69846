"""What transformers calls a model's cache of keys and values.

Up to 5.23 it is ``past_key_values``, in calls of a model and of ``generate`` as in what a model returns; from 5.24 on it
is ``cache``, and the old name warns until it goes. Both are supported, so the name is looked up:

    known = getattr(model(input_ids=ids, use_cache=True), cache_name())
    model.generate(input_ids=more, **{cache_name(): known})
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Literal


@cache
def cache_name() -> Literal["cache", "past_key_values"]:
    """The name in the installed version."""
    from transformers.modeling_outputs import CausalLMOutputWithPast

    names = {field.name for field in fields(CausalLMOutputWithPast)}
    return "cache" if "cache" in names else "past_key_values"
