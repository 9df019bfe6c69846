"""How models are compared."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from raiden_core.config.sections.base import NEUTRAL, Section
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.prompts import Layout

Rubric = Literal["SBK", "RCB", "SCK", "SAK", "PLS", "ER", "TS", "TA", "PB", "CM1", "CM2", "CC"]

RUBRICS: tuple[str, ...] = get_args(Rubric)
"""The dimensions of the RAIDEN benchmark that a judge can compare replies by."""


class ServedConfig(EndpointConfig):
    """How a model under evaluation is reached: like any endpoint, but with defaults that suit any server."""

    thinking: Literal["default", "off", "on"] = "default"
    """Whether the model reasons before it answers; `default` sends nothing about it, so that it answers as it was trained."""
    dialect: Annotated[Literal["openai", "sglang", "vllm"], NEUTRAL] = "openai"
    """Which extra fields the server knows, as for `teacher.endpoints`; `openai` sends none."""


class EvaluationConfig(Section):
    """How models are compared."""

    max_new_tokens: int = Field(default=512, ge=8)
    """Longest answer in tokens."""
    batch_size: int = Field(default=32, ge=1)
    """Prompts at once."""
    engine: Literal["transformers", "vllm"] = "transformers"
    """What computes the answers of a local folder; `vllm` must be installed, and makes its own batches."""
    vllm_gpus: int = Field(default=1, ge=1)
    """How many GPUs vLLM spreads the model over."""
    samples: int = Field(default=0, ge=0)
    """Sampled replies to each question beside the greedy one, for pass@k and the majority; 0: none."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the sampled replies."""
    served: ServedConfig = ServedConfig()
    """How a model behind a URL is asked; url and model come from the command line."""
    layouts: tuple[Layout, ...] = ()
    """Layouts of the prompt in which the validation set is asked once more, such as `[risu]`; each has results of its own."""
    drop_bad_gold: bool = False
    """Drop samples whose reference fails its own validator instead of refusing the file."""
    judge: EndpointConfig | None = None
    """A model that compares the replies of base and trained in pairs, each pair in both orders; None: no judge."""
    judge_rubrics: tuple[Rubric, ...] = ()
    """Rubrics that every question is judged by beside that of its own dimension, such as `[PLS, CC]`."""
    judge_questions: int | None = Field(default=None, ge=1)
    """At most so many questions are judged, drawn by the seed; None: all."""
    judge_max_tokens: int = Field(default=512, ge=64)
    """Longest verdict in tokens, its reason included."""
