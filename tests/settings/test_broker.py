"""A connection to a broker as it is written: what is right, what is wrong, and what is said before it is used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli import main as agent_cli
from gateway.cli import main as gateway_cli
from settings.base import Model
from settings.broker import Broker
from settings.errors import ConfigError
from settings.language import Text
from settings.load import line, read
from settings.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


class File(Model):
    mqtt: Broker


def broker(text: str) -> Broker:
    config, problems = read(f"mqtt: {text}\n".encode(), File, Text("", ""))
    assert config is not None, problems
    return config.mqtt


def complaints(text: str, language: Any = "en") -> list[str]:
    config, problems = read(f"mqtt: {text}\n".encode(), File, Text("", ""))
    assert config is None
    return [line(problem, "f", language) for problem in problems]


@pytest.mark.parametrize(
    ("text", "port", "secure"),
    [
        ("{host: a}", 1883, False),
        ("{host: a, tls: true}", 8883, True),
        ("{host: a, tls: {}}", 8883, True),
        ("{host: a, tls: {ca: /ca.pem}}", 8883, True),
        ("{host: a, port: 1883, tls: true}", 1883, True),
        ("{host: a, port: 8883}", 8883, False),
        ("{host: a, tls: }", 1883, False),
        (
            "{host: a, tls: {certificate: 'credential:c', key: 'credential:k', server_name: m.kr}}",
            8883,
            True,
        ),
    ],
)
def test_the_port_is_the_usual_one_unless_another_is_written(text: str, port: int, *, secure: bool) -> None:
    found = broker(text)
    assert (found.port, found.tls is not None) == (port, secure)


@pytest.mark.parametrize(
    ("text", "en", "ko"),
    [
        ("{host: a, tls: false}", "checking cannot be switched off", "인증서 확인은 끌 수 없습니다"),
        ("{host: a, tls: 1}", "write its keys", "하위 항목"),
        ("{host: a, tls: {certificate: /c.pem}}", "go together", "함께"),
        ("{host: a, tls: {key: /k.pem}}", "go together", "함께"),
        ("{host: a, tls: {key_password: 'env:X'}}", "without a key", "key 없이"),
        ("{host: a, tls: {ca: ca.pem}}", "full path that begins with /", "전체 경로"),
        ("{host: a, tls: {ca: 'credential:../x'}}", "credential:NAME", "credential:이름"),
        ("{host: a, tls: {ca: 'credential:..'}}", "credential:NAME", "credential:이름"),
        ("{host: a, tls: {verify: false}}", "unknown key", "알 수 없는 항목"),
        ("{host: a, tls: {insecure: true}}", "unknown key", "알 수 없는 항목"),
        ("{host: a, user: u, password: 'credential:a/b'}", "credential:NAME", "credential:이름"),
        ("{host: a, user: u, password: hunter2}", "not the secret itself", "비밀번호 자체가 아니라"),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(text: str, en: str, ko: str) -> None:
    for language, words in (("en", en), ("ko", ko)):
        found = complaints(text, language)
        assert any(words in one for one in found), found
        assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{host: 127.0.0.1}", False),
        ("{host: localhost, user: u, password: 'env:X'}", False),
        ("{host: '::1'}", False),
        ("{host: 192.168.0.9, tls: true}", False),
        ("{host: 192.168.0.9}", True),
        ("{host: broker, user: u, password: 'env:X'}", True),
    ],
)
def test_data_in_the_clear_is_said_and_not_refused(text: str, *, said: bool) -> None:
    notes = [*broker(text).notes("uplink.site")]
    assert bool(notes) == said
    for note in notes:
        assert note.en.startswith("uplink.site: ")
        assert "unencrypted: add `tls`" in note.en or "add `tls`" in note.en
        assert "암호화되지 않은" in note.ko


def test_a_secret_file_that_others_can_read_is_said_with_the_mend(tmp_path: Path) -> None:
    key, password = tmp_path / "key.pem", tmp_path / "password"
    for path in (key, password):
        path.write_text("x")
        path.chmod(0o640)
    found = broker(f"{{host: a, user: u, password: 'file:{password}', tls: {{certificate: /c.pem, key: {key}}}}}")
    assert [note.en.rpartition(": ")[2] for note in found.notes("mqtt")] == [
        f"chmod 600 {password}",
        f"chmod 600 {key}",
    ]
    key.chmod(0o600)
    password.unlink()  # it may stand on another machine
    assert [*found.notes("mqtt")] == []


def test_check_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text(
        f"mqtt: {{host: 192.168.0.9}}\nstore: {{type: embedded, path: {tmp_path}/s.db}}\n"
        f"dead_letters: {{directory: {tmp_path}/l}}\n"
    )
    assert gateway_cli(["--lang", "ko", "check", str(gateway)]) == 0
    assert "암호화되지 않은 채 192.168.0.9:1883" in capsys.readouterr().out
    agent = tmp_path / "agent.yaml"
    agent.write_text(
        "version: 1\nfactory: hanil\nagent: edge-1\nname: x\ntime: {zone: Asia/Seoul}\nmachines: [{id: m}]\n"
        "uplink: {site: {host: 192.168.0.9, user: u, password: 'env:X'}, platform: {host: p, tls: true}}\n"
    )
    assert agent_cli(["--lang", "en", "check", str(agent)]) == 0
    said = capsys.readouterr().out
    assert "uplink.site: the password and all data go to 192.168.0.9:1883 unencrypted" in said
    assert "uplink.platform" not in said


def test_a_credential_is_a_file_of_the_service_managers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = Secret("credential:mqtt-password")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError, match="LoadCredential=mqtt-password:/path"):
        secret.resolve()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigError, match="credential:mqtt-password: No such file"):
        secret.resolve()
    (tmp_path / "mqtt-password").write_text("one\n")
    assert secret.resolve() == "one"
    (tmp_path / "mqtt-password").write_bytes(b"x" * 100_000)
    with pytest.raises(ConfigError, match="larger than any secret"):
        secret.resolve()


def test_the_hash_of_a_configuration_depends_on_places_not_on_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "hunter2")
    found = broker("{host: a, user: u, password: 'env:X', tls: {certificate: /c, key: /k, key_password: 'env:X'}}")
    assert found.login() == ("u", "hunter2")
    assert not re.search("hunter2", found.model_dump_json() + repr(found) + str(found.tls))
