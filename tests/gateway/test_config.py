"""gateway.yaml and the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract.payload import Rejected
from gateway import config
from gateway.cli import main
from gateway.deadletter import DeadLetters
from gateway.letter import DeadLetter
from gateway.stores.settings import EmbeddedSettings
from settings.broker import Broker
from settings.errors import ConfigError
from tests.gateway.builders import T0, FixedClock

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.example.yaml"
GOOD = """\
mqtt: {{host: 127.0.0.1}}
store: {{type: embedded, path: {folder}/store.db}}
dead_letters: {{directory: {folder}/letters, max_size: 1MB}}
"""
WRONG = Path(__file__).parent / "cases" / "ten_mistakes.yaml"


def write(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(text, "utf-8")
    return path


def complaints(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(path, "en")
    return str(caught.value).splitlines()


def test_the_example_is_good_and_gives_this_process_a_name() -> None:
    loaded = config.load(EXAMPLE)
    assert isinstance(loaded.store, EmbeddedSettings)
    assert loaded.worker.endswith(str(os.getpid()))
    assert len(loaded.worker) <= 32


def test_the_example_shows_every_key() -> None:
    text = EXAMPLE.read_text("utf-8")
    for model in (config.GatewayConfig, Broker, config.DeadLetterSettings):
        for name in model.model_fields:
            assert f"{name}:" in text, name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("- a\n", 1),
        ("mqtt: [\n", 1),
        ("mqtt: 1\nstore: 'x\n", 2),
        ("mqtt: {host: \t}\n", 1),
        ("a: !!python/x 1", 1),
    ],
)
def test_a_file_of_another_shape_is_named_with_a_line(tmp_path: Path, text: str, line: int) -> None:
    path = write(tmp_path, text)
    assert all(complaint.startswith(f"{path}:{line}: ") for complaint in complaints(path))


def test_a_password_comes_from_elsewhere_and_never_stands_in_a_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSQ_TEST_PASSWORD", "geheim")
    good = GOOD.replace("127.0.0.1", "127.0.0.1, user: gw, password: {password}")
    loaded = config.load(write(tmp_path, good.format(folder=tmp_path, password="env:TSQ_TEST_PASSWORD")))
    assert loaded.mqtt.password is not None
    assert loaded.mqtt.password.resolve() == "geheim"
    assert "geheim" not in repr(loaded)


def test_a_secret_that_cannot_be_read_ends_the_start_and_not_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TSQ_TEST_NOTHING", raising=False)
    user = "127.0.0.1, user: gw, password: env:TSQ_TEST_NOTHING"
    path = write(tmp_path, GOOD.replace("127.0.0.1", user).format(folder=tmp_path))
    assert main(["check", str(path)]) == 0
    assert main(["run", "--config", str(path)]) == 78
    assert "env:TSQ_TEST_NOTHING: the environment variable is not set" in capsys.readouterr().err


def test_check_says_what_is_wrong_and_exits_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ko", "check", str(WRONG)]) == 78
    korean = capsys.readouterr().err.splitlines()
    assert len(korean) == 10
    assert all(re.search("[가-힣]", line) for line in korean)
    assert main(["run", "--config", str(tmp_path / "none.yaml")]) == 78
    path = write(tmp_path, GOOD.format(folder=tmp_path))
    assert main(["check", str(path)]) == 0
    assert main(["--lang", "ko", "check", str(path)]) == 0
    assert "이상 없음" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [tmp_path / "gateway.yaml"]


def test_check_loads_no_library_of_a_broker_or_a_database() -> None:
    code = (
        "import sys; from gateway.cli import main; "
        f"assert main(['check', {str(EXAMPLE)!r}]) == 0; "
        "loaded = {'paho', 'influxdb_client', 'sqlite3', 'duckdb'} & set(sys.modules); assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_library_that_is_not_installed_is_named_with_the_command_that_does(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.format(folder=tmp_path))
    text = re.sub(
        r"^store:.*$",
        'store: {type: influxdb1, url: "http://127.0.0.1:9", database: d}',
        path.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    path.write_text(text, "utf-8")
    code = (
        "import sys; from gateway.cli import main; sys.modules['urllib3'] = None; "
        f"raise SystemExit(main(['run', '--config', {str(path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "tsq-gateway: urllib3 is not installed: pip install 'techsquare-edge[gateway]'\n"


def test_dead_letters_are_listed_with_what_was_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD.format(folder=tmp_path))
    assert main(["--lang", "en", "dead-letters", "list", "--config", str(path)]) == 1
    assert "does not exist" in capsys.readouterr().out
    kept = DeadLetters(tmp_path / "letters", 10**6, "gw-1", FixedClock())
    rejected = [Rejected(1, "0" * 16, "type", [("plc.fast", "5", "6", 2)])]
    kept.append(DeadLetter(at=T0, topic="tsq/1/a/b/data", reason="type", spool="s", rejected=rejected))
    kept.append(DeadLetter(at=T0, topic="tsq/1/a/c/data", reason="not zstd", payload=""))
    kept.close()
    malformed, file = sorted((tmp_path / "letters").iterdir(), key=lambda found: ".malformed." not in found.name)
    with file.open("ab") as torn:
        torn.write(b'{"at":')
    os.utime(file, ns=(0, 0))
    assert main(["--lang", "en", "dead-letters", "list", "--config", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f" tsq/1/a/b/data 2 rows of plc.fast: type ({file.name}:1)")
    assert f" {file.name}:2: a damaged line" in lines[1]
    assert lines[2].endswith(f" tsq/1/a/c/data cannot be read: not zstd ({malformed.name}:1)")
    assert lines[3].startswith("3 dead letters")
