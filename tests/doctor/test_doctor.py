"""``raiden doctor``: each check on something that is right and on something that is wrong."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest

from raiden_core.cli import group as cli
from raiden_core.config.loading import validate_config
from raiden_core.doctor import chat, dialects, machine, services, versions
from raiden_core.doctor.check import Check, ok
from raiden_core.doctor.data import check_characters, check_data
from raiden_core.doctor.examine import CHECKS, examine
from raiden_core.doctor.model import folder_problem
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError, DataError
from raiden_core.planning.gpus import FoundGpu
from raiden_core.training.flat import FlatFiles
from raiden_core.training.nano import CHAT_TEMPLATE
from tests.support.fault_server import FaultServer
from tests.support.makes import MAKES
from tests.support.serving import serving

QUICKSTART = str(Path(__file__).parent.parent.parent / "configs" / "quickstart.yaml")
KEY = "a-key-that-nobody-may-see"


def subject(folder: Path, data: Path | None = None, **tree: Any) -> Subject:
    base = {"output_dir": str(folder / "runs"), "characters": {"composed": {"count": 30}}}
    return Subject(validate_config({**base, **tree}, "x"), data)


@pytest.fixture
def nano(tmp_path: Path) -> Subject:
    return subject(tmp_path)


def test_a_nano_run_is_in_order(nano: Subject) -> None:
    for check in (chat.check_template, chat.check_rewards, chat.check_lengths, machine.check_model, check_characters):
        assert check(nano).status == "ok", check(nano)
    assert "24 characters" in chat.check_rewards(nano).found


@pytest.mark.parametrize(
    ("template", "prefilled", "words"),
    [
        (CHAT_TEMPLATE, True, "does not open <think>"),
        (CHAT_TEMPLATE.replace("<|assistant|>'", "<|assistant|><think>\\n'"), False, "it opens <think> itself"),
        (CHAT_TEMPLATE.replace("<|assistant|>'", "<|assistant|><think></think>'"), False, "closes an empty <think>"),
        (CHAT_TEMPLATE.replace("in messages", "in messages[1:]"), False, "drops the system turn"),
        (CHAT_TEMPLATE.replace("in messages", "in [messages[0], messages[-1]]"), False, "drops turns of the history"),
        (None, False, "has none"),
    ],
)
def test_templates_that_would_spoil_training_are_found(
    tmp_path: Path, template: str | None, prefilled: bool, words: str
) -> None:
    one = subject(tmp_path, prefilled_think=prefilled, generation={"cm_share": 0.5})
    assert any(sample.conversation_history for sample in one.samples.samples)
    one.tokenizer.chat_template = template
    check = chat.check_template(one)
    assert check.status == "bad" and check.advice
    assert words in check.found


def test_a_template_that_wants_the_user_first_refuses_greetings(tmp_path: Path) -> None:
    card = {
        "name": "Ada Quill",
        "description": "Occupation: glazier\nHome town: Bristol\nPet: a parrot\nHobby: chess",
        "first_mes": "Mind the panes.",
    }
    file = tmp_path / "ada.json"
    file.write_text(json.dumps({"spec": "chara_card_v2", "data": card}), "utf-8")
    strict = (
        "{% if messages[1].role != 'user' %}{{ raise_exception('roles must alternate') }}{% endif %}" + CHAT_TEMPLATE
    )
    one = subject(
        tmp_path, characters={"paths": [str(file), "shipped:en"], "composed": {"count": 0}}, prompt={"layout": "risu"}
    )
    assert any(sample.conversation_history[:1] for sample in one.samples.samples if "card" in sample.metadata)
    assert chat.check_template(one).status == "ok"
    one.tokenizer.chat_template = strict
    check = chat.check_template(one)
    assert check.status == "bad"
    assert check.found == "it refuses a conversation that a greeting opens: roles must alternate"


def test_a_template_that_opens_think_is_right_when_configured(tmp_path: Path) -> None:
    one = subject(tmp_path, prefilled_think=True)
    one.tokenizer.chat_template = CHAT_TEMPLATE.replace("<|assistant|>'", "<|assistant|><think>\\n'")
    assert chat.check_template(one).status == "ok"
    assert chat.check_rewards(one).status == "ok"


def test_tags_that_vanish_when_trl_decodes_are_found(nano: Subject) -> None:
    from tokenizers import AddedToken

    nano.tokenizer.add_tokens([AddedToken("<answer>", special=True)], special_tokens=True)
    check = chat.check_rewards(nano)
    assert check.status == "bad" and "<answer> vanish" in check.found and "special=False" in check.advice


def test_prompts_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    check = chat.check_lengths(subject(tmp_path, grpo={"max_prompt_length": 16}))
    assert check.status == "bad" and "do not fit" in check.found


def test_a_file_of_samples_is_used_where_there_is_one(tmp_path: Path) -> None:
    row = {"character_name": "A", "character_profile": {"Name": "A"}, "question": "q?", "keywords": ["tea"]}
    good, wrong = {**row, "answer": "I like tea."}, {**row, "answer": "I like water."}
    folder = tmp_path / "runs" / "split-abc"
    folder.mkdir(parents=True)
    (folder / "train.json").write_text(json.dumps([good, {**good, "question": "why?"}]), "utf-8")
    assert check_data(subject(tmp_path)).status == "ok"
    (folder / "train.json").write_text(json.dumps([good, wrong]), "utf-8")
    check = check_data(subject(tmp_path))
    assert check.status == "bad" and "row 2" in check.found
    gone = check_data(subject(tmp_path, tmp_path / "none.json"))
    assert gone.status == "bad" and "none.json: no such file" in gone.found


def test_a_training_scripts_own_file_is_judged_by_the_files_it_names(tmp_path: Path) -> None:
    row = {"character_name": "A", "character_profile": {"Name": "A"}, "question": "q?", "keywords": ["tea"]}
    train, asked = tmp_path / "train.json", tmp_path / "validation.json"
    train.write_text(json.dumps([{**row, "answer": "I like tea.", "question": one} for one in ("q?", "why?")]), "utf-8")
    config = subject(tmp_path, characters={}).config

    def examined(files: FlatFiles) -> dict[str, Check]:
        one = Subject(config, None, files)
        checks = (check_characters, check_data, machine.check_memory, machine.check_disk, services.check_ports)
        return {check.name: check for check in examine(one, tuple((each.__name__, each) for each in checks))}

    good = examined(FlatFiles(train, None))
    assert [good[name].status for name in ("characters", "data", "ports")] == ["none", "ok", "none"]
    lost = examined(FlatFiles(tmp_path / "none.json", None))
    assert [name for name, check in lost.items() if check.status == "bad"] == ["data"]
    assert "none.json: no such file" in lost["data"].found and "set train_data_path" in lost["data"].advice
    assert examined(FlatFiles(None, None))["data"].found == "train_data_path: not set"
    assert "validation.json: no such file" in examined(FlatFiles(train, asked))["data"].found
    asked.write_text(json.dumps([{**row, "answer": "I like water."}]), "utf-8")
    assert "eval_data_path" in examined(FlatFiles(train, asked))["data"].advice


def test_missing_characters_are_one_failure_and_not_many(tmp_path: Path) -> None:
    lost = subject(tmp_path, characters={"paths": [str(tmp_path / "none.jsonl")]}, grpo={"use_cpu": True})
    checks = (check_characters, check_data, machine.check_memory, machine.check_disk, chat.check_rewards)
    found = {check.name: check.status for check in examine(lost, tuple((one.__name__, one) for one in checks))}
    assert [name for name, status in found.items() if status == "bad"] == ["check_characters"], found


def test_characters_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", "utf-8")
    check = check_characters(subject(tmp_path, characters={"paths": [str(tmp_path / "broken.json")]}))
    assert check.status == "bad" and "broken.json" in check.found
    assert check_characters(subject(tmp_path, characters={})).status == "bad"


def model_folder(folder: Path) -> Path:
    folder.mkdir()
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    (folder / "config.json").write_text("{}", "utf-8")
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    return folder


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("config.json", Path.unlink, "no config.json"),
        ("config.json", lambda file: file.write_text("{"), "broken JSON"),
        ("model.safetensors", Path.unlink, "no weights"),
        ("model.safetensors", cut, "was cut off"),
        ("model.safetensors", lambda file: file.write_bytes(b"version https://git-lfs"), "no safetensors file"),
        ("tokenizer.json", Path.unlink, "no tokenizer"),
    ],
)
def test_what_a_model_folder_lacks_is_named(
    tmp_path: Path, name: str, change: Callable[[Path], object], words: str
) -> None:
    folder = model_folder(tmp_path / "m")
    assert folder_problem(folder) is None
    change(folder / name)
    problem = folder_problem(folder)
    assert problem is not None and words in problem[0] and problem[1]


def test_missing_shards_are_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    index = {"weight_map": {"w": "a.safetensors", "v": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    problem = folder_problem(folder)
    assert problem is not None and "b.safetensors: is missing" in problem[0]


def test_a_hub_id_that_is_not_cached_is_not_looked_for_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check = machine.check_model(subject(tmp_path, student={"model": "nobody-raiden/none"}))
    assert check.status == "bad" and "HF_HUB_OFFLINE" in check.found
    gone = machine.check_model(subject(tmp_path, student={"model": "./none"}))
    assert gone.status == "bad" and "no such folder" in gone.found


def test_a_revision_is_what_doctor_and_plan_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Config, weights and tokenizer of the revision that the job loads, not of the newest one."""
    from raiden_core.planning.shapes import shape_of

    asked: set[tuple[str, str | None]] = set()

    def cached(model: str, file: str, *, revision: str | None = None) -> None:
        asked.add((model, revision))

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", cached)
    student = {"model": "Qwen/Qwen2.5-0.5B"}
    one = subject(tmp_path, student=student, cold_start={"model_revision": "v7"})
    assert one.config.student_revision == "v7"
    check = machine.check_model(one)
    assert "Qwen/Qwen2.5-0.5B at revision v7: not in the Hub cache" in check.found
    assert "hf download Qwen/Qwen2.5-0.5B --revision v7" in check.advice
    shape_of("Qwen/Qwen2.5-0.5B", None, one.config.student_revision)
    assert asked == {("Qwen/Qwen2.5-0.5B", "v7")}
    without = subject(tmp_path, student=student, cold_start={"enabled": False}, grpo={"model_revision": "v8"})
    assert without.config.student_revision == "v8"
    assert subject(tmp_path, student=student, cold_start={"model_revision": "main"}).config.student_revision is None


def test_without_a_network_the_hub_is_said_to_be_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_args: object, **_settings: object) -> None:
        raise httpx2.ConnectError("[Errno -2] Name or service not known")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", unreachable)
    [check] = examine(subject(tmp_path, student={"model": "nobody-raiden/none"}), (("model", machine.check_model),))
    assert check.status == "bad" and "the Hub cannot be reached (ConnectError)" in check.found
    assert "hf download nobody-raiden/none" in check.advice


def test_a_disk_that_is_too_small_and_a_folder_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = subject(tmp_path)
    assert machine.check_disk(one).status == machine.check_output(one).status == "ok"
    assert not (tmp_path / "runs").exists()
    need, words = machine.disk_need(one)
    assert "2 models" in words and "checkpoints" in words
    usage = type("Usage", (), {"free": need - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert machine.check_disk(one).status == "bad"
    (tmp_path / "file").write_text("", "utf-8")
    check = machine.check_output(subject(tmp_path, output_dir=str(tmp_path / "file" / "runs")))
    assert check.status == "bad" and "Not a directory" in check.found


def test_gpus_that_torch_cannot_use_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_cpu = subject(tmp_path, grpo={"use_cpu": True})
    assert machine.check_gpus(on_cpu).status == "none"
    on_gpu = subject(tmp_path)
    monkeypatch.setattr(machine, "list_gpus", list)
    assert machine.check_gpus(on_gpu).status == "bad"
    monkeypatch.setattr(machine, "list_gpus", lambda: [FoundGpu("NVIDIA H200", 2**37, 2**36, "570.1")])
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    check = machine.check_gpus(on_gpu)
    assert check.status == "bad" and "driver 570.1" in check.found and "cannot use them" in check.found


def test_versions_that_clash_or_are_missing(nano: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    have = {name: wanted.partition(",")[0].removeprefix(">=") for name, wanted in versions.NEEDED.items()}
    monkeypatch.setattr(versions, "_version", lambda package: have.get(package))
    assert versions.check_versions(nano).status == "ok"
    have["fastapi"] = "0.155.1"
    assert "fastapi<0.155" in versions.check_versions(nano).advice
    del have["fastapi"], have["peft"]
    have["trl"] = "0.15"
    check = versions.check_versions(nano)
    assert "peft is not installed" in check.found and "trl 0.15" in check.found and ">=1.16" in check.advice


class Server:
    """A server with one list of models, which wants a key."""

    def __init__(self) -> None:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers.get("Authorization") == f"Bearer {KEY}"
                self.send_response(outer.status if known else 401)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.status, self.body = 200, json.dumps({"data": [{"id": "glm-4.6"}]}).encode()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def taught(folder: Path, url: str, model: str = "glm-4.6", **teacher: Any) -> Subject:
    endpoint = {"url": url, "model": model, "api_key_env": "RAIDEN_TEST_KEY"}
    return subject(folder, teacher={"kind": "llm", "endpoints": {"teacher": endpoint}, **teacher})


def test_the_teacher_is_asked_for_its_models(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAIDEN_TEST_KEY", KEY)
    assert services.check_teacher(taught(tmp_path, server.url)) == ok("teacher", "teacher: glm-4.6")
    other = services.check_teacher(taught(tmp_path, server.url, "glm-5"))
    assert other.status == "bad" and "has glm-4.6, not glm-5" in other.found
    server.body = b"<html>"
    assert "lists no models" in services.check_teacher(taught(tmp_path, server.url)).found
    server.status = 500
    assert "answers 500" in services.check_teacher(taught(tmp_path, server.url)).found
    monkeypatch.setenv("RAIDEN_TEST_KEY", "wrong")
    assert "answers 401" in services.check_teacher(taught(tmp_path, server.url)).found
    server.server.server_close()
    assert "does not answer" in services.check_teacher(taught(tmp_path, "http://127.0.0.1:9/v1")).found
    with pytest.raises(ConfigError) as refused:
        taught(tmp_path, "http://user:sesame@127.0.0.1:9/v1")
    assert "sesame" not in str(refused.value)
    assert services.check_teacher(subject(tmp_path)).status == "none"


def test_how_servers_want_to_be_asked_is_found_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAIDEN_TEST_KEY", raising=False)
    with (
        serving(FaultServer(model="m", make=MAKES["TGI, plain"])) as plain,
        serving(FaultServer(model="m", make=MAKES["SGLang, GLM"])) as good,
    ):
        endpoints: dict[str, dict[str, Any]] = {
            "teacher": {"url": plain.url, "model": "m"},
            "unused": {"url": plain.url, "model": "m"},
            "keyless": {"url": good.url, "model": "m", "api_key_env": "RAIDEN_TEST_KEY"},
            "gone": {"url": "http://127.0.0.1:9/v1", "model": "m"},
            "other": {"url": good.url, "model": "another"},
        }
        teacher = {"kind": "llm", "endpoints": endpoints, "second_answerers": ["keyless", "gone", "other"]}
        judge = {"judge": {"url": good.url, "model": "m"}}
        check = dialects.check_dialects(subject(tmp_path, teacher=teacher, evaluation=judge))
        alone = dialects.check_dialects(subject(tmp_path, evaluation=judge))
        launched = dialects.check_dialects(
            subject(tmp_path, teacher={"kind": "llm", "endpoints": endpoints, "launch": {"command": ["x"]}})
        )
    assert check.status == "bad"
    assert [line.split(": ")[0] for line in check.found.splitlines()] == [
        "teacher.endpoints.teacher",
        "evaluation.judge",
    ]
    assert [line.removeprefix("→ ").split(" (")[0] for line in check.advice.splitlines()] == [
        'teacher.endpoints.teacher.thinking: "default"',
        'teacher.endpoints.teacher.dialect: "vllm"',
        "teacher.endpoints.teacher.json_schema: false",
    ]
    assert alone.status == "ok" and alone.found.startswith("evaluation.judge: no reasoning, JSON schema enforced")
    assert launched.status == "none", "it is not up before generation starts it"
    # What is advised is what makes it well.
    endpoints["teacher"] |= {"thinking": "default", "dialect": "vllm", "json_schema": False}
    with serving(FaultServer(model="m", make=MAKES["TGI, plain"])) as plain:
        endpoints["teacher"]["url"] = plain.url
        cured = dialects.check_dialects(subject(tmp_path, teacher={"kind": "llm", "endpoints": endpoints}))
    assert cured.status == "ok", cured


def test_packages_that_a_setting_needs_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raiden_core.training.checks.find_spec", lambda name: None)
    needing = {"load_in_4bit": True, "lora_r": 4, "attn_implementation": "eager"}
    check = versions.check_versions(subject(tmp_path, grpo=needing))
    assert check.status == "bad" and "grpo: load_in_4bit: bitsandbytes is not installed" in check.found
    assert "pip install bitsandbytes" in check.advice
    check = versions.check_versions(subject(tmp_path, cold_start={"attn_implementation": "flash_attention_2"}))
    assert "cold_start: attn_implementation: flash_attention_2 needs flash_attn" in check.found


def test_too_few_samples_for_a_step_are_found(tmp_path: Path) -> None:
    sample = {"character_name": "林", "character_profile": {}, "question": "?", "answer": "林", "keywords": ["林"]}
    data = tmp_path / "train.json"
    batch = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "num_generations": 4}
    for count, status in ((1, "bad"), (2, "ok")):
        data.write_text(json.dumps([{**sample, "id": str(number)} for number in range(count)]), "utf-8")
        check = check_data(subject(tmp_path, data, grpo=batch))
        assert check.status == status, check
    data.write_text(json.dumps([sample]), "utf-8")
    check = check_data(subject(tmp_path, data, grpo=batch))
    assert "1 usable sample, but a generation batch takes 2 (8 completions" in check.found
    assert check.advice.startswith("add samples, or lower per_device_train_batch_size")


def test_keys_are_looked_for_and_never_shown(tmp_path: Path) -> None:
    one = taught(tmp_path, "http://127.0.0.1:9/v1")
    missing, there = services.check_keys(one, {}), services.check_keys(one, {"RAIDEN_TEST_KEY": KEY})
    assert missing.status == "bad" and "RAIDEN_TEST_KEY" in missing.found
    assert there == ok("keys", "set: RAIDEN_TEST_KEY")
    assert services.check_keys(subject(tmp_path), {}).status == "none"


def test_a_port_that_something_else_has_is_found(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(services, "PREFECT_PORT", server.server.server_port)
    check = services.check_ports(subject(tmp_path))
    assert check.status == "bad" and "taken by something else" in check.found
    monkeypatch.setattr(services, "listening", lambda port: False)
    assert services.check_ports(subject(tmp_path)).status == "ok"
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "does not answer" in services.check_ports(subject(tmp_path)).found


def test_a_check_that_fails_is_one_failed_check(nano: Subject) -> None:
    def surprise(_: Subject) -> Check:
        raise KeyError("what")

    def refused(_: Subject) -> Check:
        raise DataError("a.json: row 3: no")

    found = list(examine(nano, (("a", surprise), ("b", refused), ("c", lambda _: ok("c", "fine")))))
    assert [check.status for check in found] == ["bad", "bad", "ok"]
    assert "KeyError" in found[0].found and found[1].found == "a.json: row 3: no"
    with pytest.raises(KeyboardInterrupt):
        list(examine(nano, (("d", _interrupt),)))


def _interrupt(_: Subject) -> Check:
    raise KeyboardInterrupt


def test_the_command_shows_marks_and_exits_by_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root: click.Command = cli.build(cli.COMMANDS, "raiden")
    few = tuple(entry for entry in CHECKS if entry[0] in ("output_dir", "teacher", "model"))
    monkeypatch.setattr("raiden_core.doctor.examine.examine", lambda one: examine(one, few))
    where = ["--set", f"output_dir={tmp_path}"]
    assert cli.run(root, ["doctor", QUICKSTART, *where]) == 0
    shown = capsys.readouterr().out
    assert "✓" in shown and "–" in shown and "✗" not in shown and "2 in order, 0 to correct, 1 not" in shown
    assert cli.run(root, ["doctor", QUICKSTART, "--json", *where, "--set", "student.model=./none"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False and report["checks"][1]["status"] == "bad"
    assert cli.run(root, ["doctor", "none.yaml"]) == 2
    assert capsys.readouterr().err.startswith("error: none.yaml: no such file")
