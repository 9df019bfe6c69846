"""VRAR, the verifiable role-awareness reward: whether an answer in character says what it must, and in which format.

    from raiden_core.rewards import Scorer
    Scorer().score({"keywords": ["长沙"]}, "<think>…</think><answer>我的家乡是长沙。</answer>")

`accuracy_reward` and `format_reward` have TRL's signature and need nothing else of raiden. docs/vrar.md explains the
rules. Importing this package loads neither torch nor pydantic.
"""

from raiden_core.rewards.completion import extract_answer
from raiden_core.rewards.folding import fold
from raiden_core.rewards.functions import accuracy_reward, format_reward, vrar
from raiden_core.rewards.gates import in_role, no_stuffing, one_voice, own_language
from raiden_core.rewards.matching import contains_term
from raiden_core.rewards.scorer import Score, Scorer

__all__ = [
    "Score",
    "Scorer",
    "accuracy_reward",
    "contains_term",
    "extract_answer",
    "fold",
    "format_reward",
    "in_role",
    "no_stuffing",
    "one_voice",
    "own_language",
    "vrar",
]
