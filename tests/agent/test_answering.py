"""Answers in the agent: what is taken over, what stays in force, and what the disk keeps."""

from __future__ import annotations

import base64
import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from paho.mqtt.enums import CallbackAPIVersion

from agent import answered, control
from agent.answering import Answering, key_of
from agent.config.load import read
from agent.control import NotRunning
from agent.errors import ConfigError
from answers.signed import sign
from contract.topics import AgentTopics
from tests.answers.given import raw
from tests.support.brokers import mosquitto
from tests.support.processes import Child, free_port, running
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.config.model import AgentConfig

TOPICS = AgentTopics("hanil", "edge-1")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def written(folder: Path, port: int = 1883, *, file: bool = True, key: str | None = PUBLIC) -> str:
    """Return a configuration that takes answers from a file and from the platform."""
    text = SMALLEST.format(folder=folder / "state", port=port)
    if key is not None:
        text = (
            text.rstrip().removesuffix("}")
            + f", platform: {{host: 127.0.0.1, port: {port}, answers_key: {key}}}}}\n"
        )
    return text + (f"readiness: {{answers: {folder / 'answers.yaml'}}}\n" if file else "")


def config(folder: Path, **more: Any) -> AgentConfig:
    found, problems = read(written(folder, **more).encode())
    assert found is not None, [p.text.en for p in problems]
    return found


def put(folder: Path, **parts: Any) -> None:
    (folder / "answers.yaml").write_text(json.dumps(raw(**parts), ensure_ascii=False), "utf-8")


def message(key: Ed25519PrivateKey = KEY, topics: AgentTopics = TOPICS, **parts: Any) -> bytes:
    return sign(json.dumps(raw(**parts), ensure_ascii=False), topics, key)


def made(folder: Path, **more: Any) -> Answering:
    (folder / "state").mkdir(exist_ok=True)
    ticks = iter(range(1, 1_000_000))
    return Answering(config(folder, **more), folder / "state", TOPICS, lambda: next(ticks))


def hear(answering: Answering, payload: bytes) -> bool:
    answering.message(TOPICS.answers, payload, True)
    return answering.look()


def in_force(answering: Answering) -> list[tuple[str, int]]:
    return [(given.source, given.answers.serial) for given in answering.sets()]


def test_both_sources_count_and_both_stay_visible(tmp_path: Path) -> None:
    put(tmp_path, serial=3)
    answering = made(tmp_path)
    assert in_force(answering) == [("file", 3)]
    assert hear(answering, message(serial=1, author="나"))
    assert in_force(answering) == [("file", 3), ("message", 1)]
    about = answering.about()
    assert [(one["source"], one["serial"], one["author"]) for one in about] == [
        ("file", 3, "박 멘토"), ("message", 1, "나"),
    ]  # fmt: skip
    assert not any("trouble" in one for one in about)


def test_a_changed_file_is_taken_up_and_an_unchanged_one_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, serial=1)
    answering = made(tmp_path)
    assert not answering.due()
    assert not answering.look()
    put(tmp_path, serial=2, machines=[{"id": "press-1", "kind": "batch"}])
    assert answering.due()
    assert answering.look()
    assert in_force(answering) == [("file", 2)]
    assert not answering.due()


def test_nothing_wrong_takes_away_what_is_in_force(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, serial=5)
    answering = made(tmp_path)
    hear(answering, message(serial=5))
    stranger = Ed25519PrivateKey.generate()
    for payload, words in (
        (message(serial=4), "serial 4 is older than 5"),
        (message(serial=5, machines=[{"id": "a"}]), "serial 5 is already in force with other answers"),
        (message(stranger, serial=9), "it is signed with the key"),
        (message(topics=AgentTopics("hanil", "edge-2"), serial=9), "its signature is wrong"),
        (message(serial=9, bills=[{"month": "x", "kwh": 1}]), "bills[#1].month: write a month like 2026-10"),
        (message(serial=9, use_file="a.csv"), "use_file: a message has nothing beside it"),
        (b"\x00", "it is no signed set"),
    ):
        assert not hear(answering, payload)
        trouble = answering.troubles["message"]
        assert trouble.en.startswith(words)
        assert trouble.ko != trouble.en
        assert in_force(answering) == [("file", 5), ("message", 5)]
    for change, words in (
        ({"serial": 4}, "serial 4 is older than 5"),
        ({"serial": 6, "bills": [{"month": "x"}], "use": 3}, "answers.yaml:1: use:"),
    ):
        put(tmp_path, **change)
        assert not answering.look()
        assert words in answering.troubles["file"].en
    (tmp_path / "answers.yaml").unlink()
    assert not answering.look()
    assert "cannot be read" in answering.troubles["file"].en
    assert "읽을 수 없습니다" in answering.troubles["file"].ko
    assert in_force(answering) == [("file", 5), ("message", 5)]
    seed = base64.b64encode(bytes(range(32))).decode()
    assert seed not in caplog.text
    assert bytes(range(32)).hex() not in caplog.text
    put(tmp_path, serial=7)
    assert answering.look()
    assert "file" not in answering.troubles


def test_what_is_wrong_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answering = made(tmp_path, file=False)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            hear(answering, b"x")
    assert len(caplog.messages) == 1


def test_the_same_message_again_and_an_empty_one_change_nothing(tmp_path: Path) -> None:
    answering = made(tmp_path, file=False)
    payload = message(serial=2)
    assert hear(answering, payload)
    assert not hear(answering, payload)
    assert not hear(answering, b"")
    assert in_force(answering) == [("message", 2)]
    assert len(answered.Store(tmp_path / "state").versions("message")) == 1


def test_a_restart_knows_what_was_accepted(tmp_path: Path) -> None:
    put(tmp_path, serial=3, systems=[{"id": "mes", "points_file": "points.csv"}])
    (tmp_path / "points.csv").write_text("point,signal\nA,press-1/x\n")
    first = made(tmp_path)
    hear(first, message(serial=8))
    (tmp_path / "answers.yaml").unlink()
    again = made(tmp_path)
    assert again.sets() == first.sets()
    assert not hear(again, message(serial=7)), "an old message of a broker that was restored"
    assert in_force(again) == [("file", 3), ("message", 8)]
    other = (
        Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    assert in_force(made(tmp_path, key=base64.b64encode(other).decode())) == [("file", 3)], (
        "signed by a key of before"
    )
    assert in_force(made(tmp_path, key=None)) == [("file", 3)]
    assert in_force(made(tmp_path, file=False)) == [("message", 8)]


def test_each_accepted_set_stays_by_its_hash_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered, "KEPT", 10)
    answering = made(tmp_path, file=False)
    for serial in range(1, 16):
        assert hear(answering, message(serial=serial))
    store = answered.Store(tmp_path / "state")
    names = [path.name for path in store.versions("message")]
    assert [int(name.split("-")[1]) for name in names] == list(range(6, 16))
    assert names[-1].endswith(f"{answering.sets()[0].digest}.json")
    monkeypatch.setattr(answered, "KEPT_BYTES", 1)
    assert hear(answering, message(serial=99))
    assert len(store.versions("message")) == 1, "the one in force stays"
    assert all(path.stat().st_mode & 0o077 == 0 for path in store.versions("message"))


def test_a_damaged_set_is_set_aside_and_the_one_before_counts(tmp_path: Path) -> None:
    answering = made(tmp_path, file=False)
    hear(answering, message(serial=1))
    hear(answering, message(serial=2))
    newest = answered.Store(tmp_path / "state").versions("message")[-1]
    newest.write_bytes(newest.read_bytes()[:50])
    assert in_force(made(tmp_path, file=False)) == [("message", 1)]
    assert newest.with_suffix(".damaged").exists()


def test_a_full_disk_keeps_nothing_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    answering = made(tmp_path, file=False)
    monkeypatch.setattr("agent.files.os.fsync", full)
    assert hear(answering, message(serial=1))
    assert in_force(answering) == [("message", 1)]
    assert not answered.Store(tmp_path / "state").versions("message")


def test_a_key_that_begins_like_a_path_is_a_key(tmp_path: Path) -> None:
    written_key = "/" + "A" * 42 + "="
    found = key_of(config(tmp_path, key=written_key).uplink.platform.answers_key)  # type: ignore[union-attr]
    assert found is not None
    assert base64.b64encode(found.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode() == written_key


def test_a_key_that_is_none_ends_the_start_with_words(tmp_path: Path) -> None:
    assert key_of(None) is None
    for content, words in ((None, "cannot be read"), (b"x", "is no Ed25519 public key")):
        path = tmp_path / "key.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=words):
            key_of(str(path))
    found, problems = read(written(tmp_path, key="c2hvcnQ=").encode())
    assert found is None
    assert problems[0].path == "uplink.platform.answers_key"


def test_the_running_agent_takes_answers_from_both_and_shows_what_does_not_fit(tmp_path: Path) -> None:
    """One process, one broker: a file that changes, messages that are good, forged and old, and a restart."""
    signals = (
        "{id: sp, address: 'holding:0', type: float32}, {id: pv, address: 'holding:2', type: float32, role: pv}"
    )
    device = (
        f"devices:\n  - {{id: plc, type: modbus, machine: press-1, host: 127.0.0.1, port: {free_port()}, "
        f"groups: [{{every: 1s, signals: [{signals}]}}]}}\n"
    )
    loop = {"machine": "press-1", "name": "heat", "sp": "sp", "pv": "pv", "band": 1, "tau": "1m"}
    put(tmp_path, serial=1, author="가", machines=[{"id": "press-1", "kind": "batch"}])
    with running(mosquitto(tmp_path / "broker")) as broker:
        assert broker.port is not None
        path = tmp_path / "agent.yaml"
        path.write_text(written(tmp_path, broker.port) + device, "utf-8")
        platform = mqtt.Client(CallbackAPIVersion.VERSION2)
        platform.connect("127.0.0.1", broker.port)
        platform.loop_start()

        def until(condition: Callable[[Any], bool]) -> Any:
            deadline = time.monotonic() + 40
            shown: Any = None
            while time.monotonic() < deadline:
                try:
                    shown = control.ask(tmp_path / "state", "answers")
                except NotRunning:
                    shown = None
                if shown is not None and condition(shown):
                    return shown
                time.sleep(0.1)
            raise AssertionError(shown)

        def serials(shown: Any) -> list[Any]:
            return [(one["source"], one.get("serial"), "trouble" in one) for one in shown["sets"]]

        for start in range(2):
            agent = Child(
                [sys.executable, "-m", "agent.cli", "run", "--config", path], log=tmp_path / f"{start}.log"
            )
            with running(agent):
                if start:
                    until(lambda shown: serials(shown) == [("file", 2, False), ("message", 4, False)])
                    continue
                first = until(lambda shown: serials(shown) == [("file", 1, False)])
                text = message(
                    serial=4, author="나", date="2026-11-21", machines=[{"id": "press-1", "kind": "discrete"}]
                )
                platform.publish(TOPICS.answers, text, 1, retain=True).wait_for_publish(10)
                both = until(lambda shown: serials(shown) == [("file", 1, False), ("message", 4, False)])
                assert both["plant"] != first["plant"]
                assert [(c["code"], c["said"], c["seen"]) for c in both["contradictions"]] == [
                    ("two_answers", "batch", "discrete (2026-11-21)")
                ]
                put(tmp_path, serial=2, loops=[loop], signals=[{"id": "press-1/pv", "limits": [0, 10]}])
                changed = until(lambda shown: serials(shown)[0] == ("file", 2, False))
                assert changed["contradictions"] == []
                platform.publish(TOPICS.answers, message(serial=3), 1, retain=False).wait_for_publish(10)
                until(lambda shown: serials(shown) == [("file", 2, False), ("message", 4, True)])
                platform.publish(TOPICS.answers, b"", 1, retain=True).wait_for_publish(10)
            assert "Traceback" not in agent.output()
            assert "answers by message are not taken over: serial 3 is older than 4" in agent.output()
        platform.loop_stop()
        assert "Traceback" not in agent.output()
