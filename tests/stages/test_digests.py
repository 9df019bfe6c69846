"""Digests: what changes a stage's result changes its key, and nothing else does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raiden_core.errors import DataError
from raiden_core.stages import digests
from raiden_core.stages.digests import digest_code, digest_file, digest_path

CODE = {
    "stage.py": '"""A stage."""\nfrom raiden_core.parts.tool import turn\n\ndef work(x: int) -> int:\n    return turn(x)\n',
    "parts/__init__.py": "",
    "parts/tool.py": 'class A:\n    x: int = 1\n    """What x is."""\n\ndef turn(x):\n    return x + 1\n',
    "parts/words/list.txt": "one two",
    "parts/shipped/someone.yaml": "name: A",
    "other.py": "y = 1\n",
    "stages/run.py": "z = 1\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "raiden_core"
    for name, text in CODE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(digests, "PACKAGE", root)
    digest_code.cache_clear()
    yield root
    digest_code.cache_clear()


def code_digest() -> str:
    digest_code.cache_clear()
    return digest_code("raiden_core.stage")


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("stage.py", "A stage.", "Another docstring.", False),
        ("stage.py", "return turn(x)", "return turn(x)  # a comment", False),
        ("stage.py", "\n\ndef work", "\n\n\n\ndef work", False),
        ("stage.py", "def work(x: int) -> int:\n", 'def work(x: int) -> int:\n    """Says what."""\n', False),
        ("parts/tool.py", "What x is.", "What x really is.", False),
        ("stage.py", "turn(x)", "turn(x + 1)", True),
        ("stage.py", '"""A stage."""\n', '"""A stage."""\nimport os\n', True),
        ("parts/tool.py", "x + 1", "x + 2", True),
        ("parts/words/list.txt", "one two", "one three", True),
        ("parts/shipped/someone.yaml", "name: A", "name: B", False),
        ("other.py", "y = 1", "y = 2", False),
        ("stages/run.py", "z = 1", "z = 2", False),
    ],
)
def test_code_counts_and_what_only_explains_it_does_not(
    package: Path, file: str, old: str, new: str, changes: bool
) -> None:
    before = code_digest()
    path = package / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert (code_digest() != before) is changes


def test_new_data_beside_the_code_counts(package: Path) -> None:
    before = code_digest()
    (package / "parts" / "words" / "more.txt").write_text("x")
    assert code_digest() != before


def test_caches_of_python_do_not_count(package: Path) -> None:
    before = code_digest()
    (package / "parts" / "__pycache__").mkdir()
    (package / "parts" / "__pycache__" / "tool.pyc").write_text("x")
    assert code_digest() == before


def test_the_stages_of_raiden_have_digests_of_their_own() -> None:
    digest_code.cache_clear()
    modules = ["raiden_core.generation.stage", "raiden_core.dataset.split", "raiden_core.training.grpo"]
    assert len({digest_code(module) for module in modules}) == 3


def model(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(1000))
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "x.json").write_text("{}")
    return folder


def test_a_model_folder_is_its_names_and_contents(tmp_path: Path) -> None:
    one, two = model(tmp_path / "one"), model(tmp_path / "two")
    assert digest_path(one) == digest_path(two), "where it lies does not count"
    (two / ".cache").mkdir()
    (two / ".cache" / "note").write_text("x")
    assert digest_path(one) == digest_path(two), "hidden files do not count"
    (two / "model.safetensors").write_bytes(bytes(999) + b"\1")
    assert digest_path(one) != digest_path(two)


def test_a_renamed_or_a_new_file_changes_a_folder(tmp_path: Path) -> None:
    folder = model(tmp_path / "one")
    seen = {digest_path(folder)}
    (folder / "config.json").rename(folder / "konfig.json")
    seen.add(digest_path(folder))
    (folder / "new").write_text("")
    seen.add(digest_path(folder))
    assert len(seen) == 3


def test_a_missing_path_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        digest_path(tmp_path / "none")


def test_big_files_are_digested_by_size_and_pieces_all_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BIG_FILE", 1000), ("PIECE", 10), ("PIECES", 11)):
        monkeypatch.setattr(digests, name, value)
    path = tmp_path / "weights"
    seen = set()
    for change in (None, 0, 1000, 1999):
        content = bytearray(2000)
        if change is not None:
            content[change] = 1
        path.write_bytes(content)
        seen.add(digest_file(path))
    path.write_bytes(bytes(2001))
    seen.add(digest_file(path))
    assert len(seen) == 5
