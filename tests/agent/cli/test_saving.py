"""An edited file replaces the old one in one step, or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.cli.saving import create, save, text_of
from agent.edit import add_signals
from settings.errors import ConfigError

EXAMPLE = Path(__file__).parents[3] / "config" / "agent.example.yaml"
SHOTS = {"id": "rework", "address": "holding:60", "type": "uint32"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_bytes(EXAMPLE.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o604)
    return path


def test_the_old_file_is_kept_and_its_rights_and_line_ends_stay(file: Path) -> None:
    before = text_of(file, "en")
    after = add_signals(before, "press-plc", "fast", [SHOTS])
    save(file, before, after, "en")
    assert file.read_bytes() == after.encode()
    assert b"\r\n          - {id: rework" in file.read_bytes()
    assert file.with_name("agent.yaml.bak").read_bytes() == before.encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert sorted(p.name for p in file.parent.iterdir()) == ["agent.yaml", "agent.yaml.bak"]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    before = text_of(link, "en")
    save(link, before, before + "# 끝\r\n", "en")
    assert link.is_symlink()
    assert file.read_bytes().endswith("# 끝\r\n".encode())


def test_what_would_not_pass_the_check_is_not_written(file: Path) -> None:
    before = text_of(file, "ko")
    twice = add_signals(before, "press-plc", "fast", [SHOTS, SHOTS])
    with pytest.raises(ConfigError, match="저장하지 않았습니다") as caught:
        save(file, before, twice, "ko")
    assert "rework" in str(caught.value)
    assert file.read_bytes() == before.encode()
    assert [p.name for p in file.parent.iterdir()] == ["agent.yaml"]


def test_a_file_that_somebody_saved_meanwhile_is_left_alone(file: Path) -> None:
    before = text_of(file, "en")
    file.write_text(before + "# mine\n", "utf-8", newline="")
    with pytest.raises(ConfigError, match="changed it meanwhile"):
        save(file, before, before + "# other\n", "en")
    assert file.read_text("utf-8").endswith("# mine\n")


def test_a_file_that_is_no_utf_8_or_not_there_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with pytest.raises(ConfigError, match="No such file"):
        text_of(path, "en")
    path.write_bytes("이름".encode("cp949"))
    with pytest.raises(ConfigError, match="UTF-8"):
        text_of(path, "ko")


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    create(path, "가: 1\n")
    assert path.read_text("utf-8") == "가: 1\n"
    with pytest.raises(FileExistsError):
        create(path, "b")
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]
