"""``raiden generate`` and ``raiden split``: files in, files out, nothing overwritten."""

import json
from pathlib import Path

import pytest

from raiden_core.cli import group as cli
from raiden_core.samples import read_samples

PEOPLE = [
    {"name": f"人{number}", "职业": job, "家乡": home, "宠物": pet}
    for number, (job, home, pet) in enumerate(
        [("木匠", "长沙", "黑猫"), ("医生", "武汉", "乌龟"), ("渔夫", "厦门", "金鱼"), ("画家", "大理", "鹦鹉")]
    )
]


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PEOPLE), "utf-8")
    return path


def raiden(*argv: object) -> int:
    return cli.run(cli.build(cli.COMMANDS, "raiden"), [str(one) for one in argv])


def names(path: Path) -> set[str]:
    return {sample.character_name for sample in read_samples(path)}


def test_generate_writes_samples_and_their_split(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--profiles_file", people, "--num_samples_per_profile", 2, "--include_cm", "--output_file", "d/all.json"]
    assert raiden("generate", *argv) == 0
    captured = capsys.readouterr()
    assert "offline" in captured.err and "d/all.json" in captured.out
    samples = read_samples(Path("d/all.json"))
    assert {sample.character_name for sample in samples} == {f"人{number}" for number in range(4)}
    assert len(samples) == 8 and {sample.dimension for sample in samples} == {"SBK", "CM"}
    train, validation = Path("d/training/train.json"), Path("d/training/validation.json")
    assert not names(train) & names(validation)
    assert len(read_samples(train)) + len(read_samples(validation)) == 8


def test_generate_is_the_same_for_the_same_seed_and_keeps_to_its_options(people: Path) -> None:
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        argv = ["--profiles-file", people, "--seed", seed, "--max-profiles", 3, "--output-file", f"{out}/s.jsonl"]
        assert raiden("generate", *argv) == 0
    texts = [Path(out, "s.jsonl").read_text("utf-8") for out in "abc"]
    assert texts[0] == texts[1] != texts[2]
    assert len(names(Path("a/s.jsonl"))) == 3
    assert {sample.dimension for sample in read_samples(Path("a/s.jsonl"))} == {"SBK"}


def test_without_files_it_takes_the_shipped_characters_of_the_language(people: Path) -> None:
    assert raiden("generate", "--language", "ko", "--num-samples-per-profile", 1, "--output-file", "k.parquet") == 0
    samples = read_samples(Path("k.parquet"))
    assert len(samples) >= 6 and {sample.language for sample in samples} == {"ko"}


def test_one_character_is_not_split(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert raiden("generate", "--profiles-file", people, "--max-profiles", 1, "--output-file", "s.json") == 0
    assert "nothing to split" in capsys.readouterr().out
    assert not Path("training").exists()


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        (["--language", "zh", "--auto-detect"], 2, "exclude each other"),
        (["--profiles-file", "none.jsonl"], 1, "none.jsonl"),
        (["--profiles-file", "people.jsonl", "--language", "ja"], 1, "people.jsonl: no character of language 'ja'"),
        (["--profiles-file", "people.jsonl", "--output-file", "s.csv"], 1, "s.csv: unknown kind of file"),
        (["--validation-share", "1"], 2, "validation-share"),
    ],
)
def test_generate_refuses_in_one_line(
    people: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, word: str
) -> None:
    assert raiden("generate", *argv) == code
    assert word in capsys.readouterr().err.splitlines()[-1]
    assert not Path("s.csv").exists()


@pytest.fixture
def samples(people: Path) -> Path:
    assert raiden("generate", "--profiles-file", people, "--output-file", "s.jsonl") == 0
    return Path("s.jsonl")


def test_split_writes_both_sides_by_character(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert raiden("split", samples, "--out", "halves", "--set", "split.validation_characters=2") == 0
    assert "validation: " in capsys.readouterr().out
    train, validation = names(Path("halves/train.json")), names(Path("halves/validation.json"))
    assert (len(train), len(validation)) == (2, 2) and not train & validation
    assert Path("halves/dataset_stats.json").is_file()
    assert not list(Path().glob(".*partial*"))


def test_split_leaves_out_what_repeats_when_asked(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = samples.read_text().splitlines()
    again = [json.dumps(json.loads(row) | {"question": json.loads(row)["question"] + "！"}) for row in rows[:3]]
    Path("twice.jsonl").write_text("\n".join([*rows, *again, ""]))
    for words, file in (("left out: 0 that repeat", samples), ("left out: 3 that repeat", "twice.jsonl")):
        out = f"halves-{words[10]}"
        assert raiden("split", file, "--drop-repeats", "--out", out) == 0
        assert words in capsys.readouterr().out
        assert not [path.name for path in Path(out).iterdir() if path.name.startswith(".")]
        sizes = [len(json.loads(Path(out, f"{side}.json").read_text())) for side in ("train", "validation")]
        assert sum(sizes) == len(rows)


def test_split_overwrites_nothing(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("halves").mkdir()
    Path("halves/precious").write_text("x")
    assert raiden("split", samples, "--out", "halves") == 2
    assert "exists already" in capsys.readouterr().err
    assert [path.name for path in Path("halves").iterdir()] == ["precious"]


def test_split_takes_an_empty_folder(samples: Path) -> None:
    Path("halves").mkdir()
    assert raiden("split", samples, "--out", "halves") == 0
    assert names(Path("halves/train.json"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.json", None, "none.json: no such file"),
        ("bad.jsonl", '{"question": "x"}\n', "bad.jsonl: line 1: character_name"),
        ("empty.json", "[]", "0 characters"),
    ],
)
def test_split_of_a_bad_file_leaves_no_folder(
    people: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, words: str
) -> None:
    if content is not None:
        Path(name).write_text(content)
    assert raiden("split", name, "--out", "halves") == 1
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not Path("halves").exists() and not list(Path().glob(".*partial*"))


@pytest.mark.parametrize(("share", "kept_back"), [(0.25, 1), (0.5, 2)])
def test_generate_keeps_back_the_share_of_characters_that_is_asked_for(
    people: Path, share: float, kept_back: int
) -> None:
    argv = ["--profiles_file", people, "--output_file", "d/all.json", "--validation_share", share]
    assert raiden("generate", *argv) == 0
    assert len(names(Path("d/training/validation.json"))) == kept_back
    assert len(names(Path("d/training/train.json"))) == 4 - kept_back
