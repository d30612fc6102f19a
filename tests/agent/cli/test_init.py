"""`tsq-agent init`: the file that it writes passes the check, whatever was answered."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli import main
from agent.cli.init import _guide
from agent.cli.starting import device_of, question, taken, written
from agent.config.load import load, read
from settings.language import Complaint

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = [
    "--yes", "--name", "한일정밀 1공장", "--factory", "hanil", "--machines", "press-1=프레스 1호기, CNC 2, 선반",
    "--planned", "mon-fri 08:00-20:00, sat 8:00~13:00", "--broker", "10.0.0.9:8883",
    "--device", "modbus 192.168.0.10:1502 press-1", "--device", "xgt 192.168.0.20",
    "--device", "opcua 192.168.0.30",
]  # fmt: skip


@pytest.mark.parametrize("language", ["ko", "en"])
def test_options_alone_make_a_file_that_passes_the_check(language: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    assert main(["init", str(path), *OPTIONS, "--lang", language]) == 0
    config = load(path)
    assert [(m.id, m.name) for m in config.machines] == [
        ("press-1", "프레스 1호기"), ("cnc-2", "CNC 2"), ("seonban", "선반"),
    ]  # fmt: skip
    assert [(d.id, d.type, d.machine) for d in config.devices] == [
        ("modbus-1", "modbus", "press-1"), ("xgt-1", "xgt", "cnc-2"), ("opcua-1", "opcua", "seonban"),
    ]  # fmt: skip
    assert (config.uplink.site.host, config.uplink.site.port) == ("10.0.0.9", 8883)
    text = path.read_text("utf-8")
    assert ("생산일" in text or "계획 가동시간" in text) is (language == "ko")
    assert text.count("#") >= 7
    assert main(["check", str(path), "--lang", language]) == 0


def test_a_file_that_is_there_is_not_replaced_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("mine\n", "utf-8")
    assert main(["init", str(path), *OPTIONS, "--lang", "ko"]) == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_text("utf-8") == "mine\n"
    assert main(["init", str(path), *OPTIONS, "--force", "--lang", "ko"]) == 0
    assert (tmp_path / "agent.yaml.bak").read_text("utf-8") == "mine\n"


def test_questions_with_a_mistake_and_a_step_back(capsys: pytest.CaptureFixture[str]) -> None:
    said = iter([
        "Hanil", "Wrong Id", "hanil", "", "<", "branch", "", "Asia/Seul", "", "7:30", "", "press, lathe",
        "modbus", "modbus 10.0.0.5", "nowhere", "lathe", "xgt 10.0.0.6", "", "", "",
    ])  # fmt: skip
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return next(said)

    answers = _guide({"device": []}, lambda text: text.en, answer)
    assert next(said, None) is None
    config, problems = read(written(answers, lambda text: text.en).encode())
    assert config is not None, problems
    assert (config.factory, config.site, config.agent) == ("hanil", "branch", "edge-1")
    assert [(d.machine, d.type) for d in config.devices] == [("lathe", "modbus"), ("press", "xgt")]
    out = capsys.readouterr().out
    assert "write a-z, 0-9 and -" in out
    assert "Asia/Seoul" in out
    assert "write one of press, lathe" in out
    assert sum("id of this address" in prompt for prompt in asked) == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [("modbus", "write modbus"), ("profinet 10.0.0.1", "write modbus"), ("xgt 10.0.0.999", "address"),
     ("modbus 10.0.0.1:99999", "no address")],
)  # fmt: skip
def test_a_device_written_in_another_way_is_explained(line: str, what: str) -> None:
    with pytest.raises(Complaint, match=what):
        device_of(line, [])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--day", "25:00"), ("--planned", "always"), ("--planned", "mon-xxx 08:00-17:00"), ("--broker", "h:0"),
     ("--machines", " , "), ("--zone", "Asia"), ("--device", "modbus")],
)  # fmt: skip
def test_a_wrong_option_writes_nothing(option: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    assert main(["init", str(path), *OPTIONS, option, value, "--lang", "ko"]) == 1
    assert not path.exists()


def test_what_has_no_default_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "a.yaml"), "--yes", "--lang", "en"]) == 1
    assert "--name" in capsys.readouterr().err


def test_each_answer_leads_to_the_next_question_and_then_to_none() -> None:
    answers: dict[str, Any] = {}
    keys = []
    lines = {"name": "x", "machines": "m"}
    while (asked := question(answers)) is not None:
        keys.append(asked.key)
        answers = taken(answers, asked, asked.read(lines.get(asked.key, asked.default)))
    assert keys == ["name", "factory", "site", "agent", "zone", "day", "planned", "machines", "device", "broker"]


def test_machines_named_in_hangul_get_ids_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    words = ["--yes", "--name", "한일정밀 1공장", "--machines", "프레스 1호기, 선반 1호기, ３번 라인"]
    assert main(["init", str(path), *words, "--planned", "월-금 ０８:00-24:00, 토요일 8:00~13:00"]) == 0
    config = load(path)
    assert [m.id for m in config.machines] == ["peureseu-1hogi", "seonban-1hogi", "3beon-rain"]
    assert config.factory == "haniljeongmil-1gongjang"
    assert [span.days for span in config.schedule.planned] == [(0, 1, 2, 3, 4), (5,)]


def test_days_that_do_not_exist_are_asked_for_again_at_once() -> None:
    asked = question({"name": "x", "factory": "x", "site": "x", "agent": "x", "zone": "UTC", "day": "08:00"})
    assert asked is not None
    assert asked.key == "planned"
    with pytest.raises(Complaint, match="no weekday"):
        asked.read("mon-xxx 08:00-17:00")


def test_a_folder_that_cannot_be_written_is_said_before_the_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "no" / "a.yaml"), "--lang", "ko"]) == 1
    assert "이 폴더에는" in capsys.readouterr().err


def test_the_next_commands_can_be_typed_as_they_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "한일 설정.yaml"
    assert main(["init", str(path), "--yes", "--name", "x", "--machines", "m"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  tsq-agent")]
    assert [shlex.split(line)[-1] for line in shown] == [str(path)] * 3


def test_a_terminal_of_another_character_set_is_not_asked_on() -> None:
    with pytest.raises(UnicodeError):  # what C.UTF-8 makes of the bytes of CP949
        _guide(
            {"device": []},
            lambda text: text.ko,
            lambda _: "한일".encode("cp949").decode("utf-8", "surrogateescape"),
        )
