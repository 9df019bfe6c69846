"""Files and rows that hold no character: what they are, and which command takes them.

A chat log, a lorebook or a benchmark's row has names and texts too; read as characters they would be asked about
``is_user``. The message says what was recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from raiden_core.characters.keys import fold_key, folded
from raiden_core.characters.rows import Value

_LOG = "a chat log, not a character; name the character's card or profile instead"
_SAMPLE = (
    "a sample (a question with its answer and keywords), not a character; `raiden split`, `raiden train` and"
    " `raiden evaluate --data` take such files"
)
_KINDS: tuple[tuple[frozenset[str], int, str], ...] = (
    (folded("isuser|mes|senddate|swipes|swipeid|swipeinfo|forceavatar|originalavatar"), 2, _LOG),
    (folded("username|charactername|createdate|chatmetadata"), 3, _LOG),
    (folded("chatmetadata|username"), 2, _LOG),
    (folded("ishuman|message|sender|timestamp|text|authorname|utterance|speaker|turn"), 3, _LOG),
    (
        folded(
            "uid|keysecondary|secondarykeys|constant|selective|insertionorder|probability"
            "|excluderecursion|content|vectorized|addmemo|disable|selectivelogic|keys|position|order"
        ),
        4,
        "an entry of a lorebook, not a character; give the card that the lorebook belongs to",
    ),
    (
        folded(
            "temp|temperature|topp|topk|topa|minp|reppen|repetitionpenalty|frequencypenalty"
            "|presencepenalty|typicalp|tfs|mirostatmode|dynatemp|genamt|maxlength|samplerorder"
        ),
        4,
        "sampling settings of a chat program, not a character",
    ),
    (
        folded("inputsequence|outputsequence|systemsequence|stopsequence|storystring|chatstart|wrap"),
        2,
        "a prompt template of a chat program, not a character",
    ),
    (folded("scriptname|findregex|replacestring"), 2, "a regex script of a chat program, not a character"),
    (folded("qrlist|quickreplyslots"), 1, "quick replies of a chat program, not a character"),
    (
        folded("completion|keywords|validator"),
        2,
        "completions with what they must contain, not a character; `raiden score` takes such files",
    ),
    (
        folded("prediction|predictions|score|accuracy|format|lenient|strict"),
        4,
        "predictions of an evaluation, not a character",
    ),
    (
        folded("question|answer|keywords"),
        3,
        _SAMPLE,
    ),
    (
        folded("question|answer|keywords|validator|characterprofile|conversationhistory|validationmethod|questiontype"),
        4,
        _SAMPLE,
    ),
)
"""Folded keys, how many of them such a row has, and what it is; the first kind that fits is named."""
_KINDS_WITHOUT_PROFILE: tuple[tuple[frozenset[str], int, str], ...] = (
    (
        folded(
            "question|query|instruction|choices|options|optiona|optionb|label|answer|answers|answeridx"
            "|correctanswer|gold|category|subject|difficulty"
        ),
        3,
        "a benchmark's question, not a character; name a file of profiles",
    ),
    (
        folded("chosen|rejected|prompt|instruction|input|output|response|system"),
        2,
        "a row of training data (a prompt and its answers), not a character",
    ),
)
"""The same for rows that may hold a profile as well: they are refused only where they do not."""
_CONVERSATIONS = folded(
    "messages|conversations|conversation|conversationhistory|dialogue|dialogues|dialog|dialogs|turns|utterances"
    "|chat|history"
)


def lorebook_in(value: Value | Mapping[str, Value]) -> bool:
    """Whether an object is a lorebook (world info): entries that each have keys and content."""
    if not isinstance(value, Mapping) or not ("entries" in value or "data" in value):
        return False
    book = value.get("entries")
    inner = value.get("data") if book is None and isinstance(value.get("data"), (dict, list)) else None
    if isinstance(inner, dict):
        book = inner.get("entries")
    elif isinstance(inner, list) and (value.get("type") == "risu" or "ver" in value):
        book = inner
    entries = list(book.values()) if isinstance(book, dict) else book
    if not isinstance(entries, list) or not entries:
        return False
    return all(
        isinstance(entry, dict)
        and ({"content", "entry", "text"} & entry.keys())
        and ({"key", "keys", "keyword", "keywords"} & entry.keys())
        for entry in entries
    )


LOREBOOK = "a lorebook (world info), no character; give the card that it belongs to"


def what_it_is(record: Mapping[str, Value]) -> str | None:
    """What a row is that never holds a character, in one line; None where it may be one."""
    return LOREBOOK if lorebook_in(record) else _first(_KINDS, tuple(record))


def what_without_profile(record: Mapping[str, Value]) -> str | None:
    """What a row is in which no profile was found; None where that cannot be told."""
    if what := _first(_KINDS_WITHOUT_PROFILE, tuple(record)):
        return what
    if _CONVERSATIONS & {fold_key(key) for key in record}:
        return "a conversation, not a character: nothing describes who speaks; as a seed of questions `teacher.seeds` takes it"
    return None


@lru_cache(maxsize=256)
def _first(kinds: tuple[tuple[frozenset[str], int, str], ...], keys: tuple[str, ...]) -> str | None:
    """The first kind that a row of these keys is; rows of one file have the same, hence the cache."""
    names = {fold_key(key) for key in keys}
    return next((what for known, least, what in kinds if len(names & known) >= least), None)
