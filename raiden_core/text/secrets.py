"""What a secret (key, token, password) looks like, and what the field is called in which it stands.

Characters and settings are held against the same tables: neither may carry one into a profile, a prompt, a job file or a
log.
"""

from __future__ import annotations

import re

_SECRET_KEY = re.compile(
    r"""(?:
        (?:api|access|secret|private|auth|encryption|signing|licen[sc]e|ssh|deploy|master|account|storage|service|openai
          |anthropic|claude|gemini|openrouter|novelai|groq|mistral|deepseek|elevenlabs|huggingface|azure|aws)(?:api|secret|access)?key
        |(?:access|auth|refresh|bearer|api|bot|session|oauth|csrf|discord|telegram|hf|hub|github|gitlab|slack|login|user|jwt|app)token
        |(?:client|app|api|consumer|webhook|shared|jwt|oauth|auth|bot|discord|telegram|twitter)secret
        |apisecretkey|passw(?:or)?d|passphrase|passcode|passwort|pwd|pincode|pinnumber|credentials?|authorization|bearer|jwt
        |connectionstring|databaseurl|dburl|dsn|mnemonic|seedphrase|recoveryphrase|cardnumber|creditcard|cvv|cvc
        |密码|密碼|口令|密钥|密鑰|秘钥|私钥|访问令牌|パスワード|暗証番号|apiキー|秘密鍵|アクセスキー|アクセストークン
        |비밀번호|패스워드|api키|비밀키|개인키|액세스키|인증키|액세스토큰
    )(?:hash|value)?s?\d*""",
    re.VERBOSE,
)
"""The end of a field's name, folded, that says that a secret is in it."""
_ENVIRONMENT_KEY = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET|PASSWORD|PASS|PWD|CREDENTIALS?)\d*")
SECRET_SHAPES = re.compile(
    r"""
    -----BEGIN[ A-Z]{0,40}PRIVATE\ KEY-----(?:(?!-----END)[\s\S]){0,10000}(?:-----END[ A-Z]{0,40}-----)?
    |\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or|svcacct)?[-_]?[A-Za-z0-9][A-Za-z0-9_-]{7,}
    |\b(?:gh[pousr]_|github_pat_|glpat-|hf_|gsk_|xai-|npm_|r8_|dop_v1_|nvapi-|lsv2_|pplx-|csk-|tvly-|fw_)[A-Za-z0-9_-]{8,}
    |\bpypi-[A-Za-z0-9_-]{16,}
    |\bxox[abeprs]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}
    |\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}
    |\bAIza[A-Za-z0-9_-]{16,}
    |\bya29\.[A-Za-z0-9_-]{8,}
    |\bSG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    |\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?
    |\b(?:Bearer|Basic)[ \t]+(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{8,}
    |\b\d{8,10}:[A-Za-z0-9_-]{30,}
    |\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@"'<>]{1,200}:[^\s@/"'<>]{1,200}@[^\s"'<>]*
    |https?://(?:[a-z]+\.)?(?:discord(?:app)?\.com/api/webhooks|hooks\.slack\.com/services)/[^\s"'<>]+
    |(?<=[?&])(?:api_?key|access_token|auth_token|token|password|secret|sig)=[^\s&"'<>]+
    """,
    re.VERBOSE,
)
_SHAPE_MARKS = {
    "_": (
        "sk_",
        "pk_",
        "rk_",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "_pat_",
        "hf_",
        "gsk_",
        "npm_",
        "r8_",
        "v1_",
        "lsv2_",
        "fw_",
    ),
    "-": (
        "sk-",
        "pk-",
        "rk-",
        "glpat-",
        "xai-",
        "nvapi-",
        "pplx-",
        "csk-",
        "tvly-",
        "pypi-",
        "xox",
        "xapp-",
        "-----BEGIN",
    ),
    "=": ("token=", "key=", "password=", "secret=", "sig="),
    ".": ("ya29.", "SG."),
    ":": (":AA",),
    "@": ("://",),
    "hooks": ("discord", "slack"),
    "A": ("AKIA", "ASIA", "AROA", "AIDA", "AIza"),
    "eyJ": ("eyJ",),
    "B": ("Bearer", "Basic "),
}
"""What none of the shapes can do without, under the letter that all of one group have: a cheap look before the expensive one."""


def may_hold_secret(text: str) -> bool:
    """Whether a search for `SECRET_SHAPES` in a text can find anything."""
    # Plain loops, here and below: every row of every file passes, and a generator costs more than it looks at.
    for letter, marks in _SHAPE_MARKS.items():  # noqa: SIM110
        if letter in text and holds_any(text, marks):
            return True
    return False


def holds_any(text: str, marks: tuple[str, ...]) -> bool:
    """Whether one of the marks stands in a text."""
    for mark in marks:  # noqa: SIM110
        if mark in text:
            return True
    return False


def names_secret(key: str) -> bool:
    """Whether a field's name says that a secret is in it.

    The telling part begins at a word of the name: "compass" holds no "pass", "monkey" no "key".
    """
    if _ENVIRONMENT_KEY.fullmatch(key.strip()):
        return True
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.strip())
    folded = squeezed(key)
    return any(
        start == 0 or _begins_a_word(plain, folded[start:]) or not folded[start].isascii()
        for start in range(len(folded))
        if _SECRET_KEY.fullmatch(folded, start)
    )


def squeezed(key: str) -> str:
    """A field's name in small letters without blanks and marks."""
    return re.sub(r"[\s_\-.]+", "", key).casefold()


def _begins_a_word(key: str, ending: str) -> bool:
    words = re.split(r"[\s_\-.]+", key.casefold())
    return any("".join(words[number:]) == ending for number in range(len(words)))
