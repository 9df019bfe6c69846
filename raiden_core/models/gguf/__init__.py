"""GGUF, llama.cpp's file format for models: read as a student, and written for the programs where people play.

`header` reads a file's metadata, `architectures` holds the names of weights and sizes in both worlds, `tokenizers` the
splitting rules, `unpack` makes an ordinary model folder of a file and keeps it.
"""

GGUF_SUFFIX = ".gguf"


def is_gguf(name: str) -> bool:
    """Whether a model is named by a GGUF file."""
    return name.lower().endswith(GGUF_SUFFIX)
