"""Lists that are packed at once become the bytes that the maintainers' writer makes of them."""

from pathlib import Path
from typing import Any

import gguf
import pytest

from raiden_core.models.gguf import writing
from raiden_core.models.gguf.writing import gguf_writer

LISTS: list[list[Any]] = [
    ["a", "Ġ长沙", "", "\N{WOLF FACE}", "x" * 300],
    [1, -1, 2**31 - 1, 0],
    [0.5, 1.5],
    [True, False],
]


def written(writer: gguf.GGUFWriter, path: Path) -> bytes:
    for number, values in enumerate(LISTS):
        writer.add_array(f"list.{number}", values)
    writer.add_uint32("number", 7)
    writer.add_string("text", "雪")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path.read_bytes()


def test_a_file_has_the_bytes_of_the_package(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.gguf", tmp_path / "theirs.gguf"
    wanted = written(gguf.GGUFWriter(theirs, "llama"), theirs)
    assert written(gguf_writer(ours, "llama"), ours) == wanted


def test_texts_and_whole_numbers_do_not_take_the_slow_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[int] = []
    for name in ("_texts", "_numbers"):
        fast = getattr(writing, name)

        def counted(values: Any, fast: Any = fast) -> Any:
            packed.append(len(values))
            return fast(values)

        monkeypatch.setattr(writing, name, counted)
    written(gguf_writer(tmp_path / "m.gguf", "llama"), tmp_path / "m.gguf")
    assert packed == [5, 4], "the package calls what packs its values by another name"
