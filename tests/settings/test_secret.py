"""Secrets are referred to, read late, and shown never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ValidationError

from settings.errors import ConfigError
from settings.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


class Login(BaseModel):
    password: Secret


def test_a_secret_is_read_from_the_environment_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Login.model_validate({"password": "env:SOME_PASSWORD"}).password
    monkeypatch.setenv("SOME_PASSWORD", "one")
    assert secret.resolve() == "one"
    monkeypatch.setenv("SOME_PASSWORD", "two")
    assert secret.resolve() == "two"
    monkeypatch.delenv("SOME_PASSWORD")
    with pytest.raises(ConfigError, match="env:SOME_PASSWORD: the environment variable is not set"):
        secret.resolve()


def test_a_secret_is_read_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "password"
    secret = Secret(f"file:{path}")
    with pytest.raises(ConfigError, match="No such file"):
        secret.resolve()
    path.write_text(" p w\n", "utf-8")
    assert secret.resolve() == " p w"
    path.write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="the file is empty"):
        secret.resolve()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        secret.resolve()


@pytest.mark.parametrize("content", ["hunter2\nhunter3\n", "hunter2\r\n# the old one", "hunter2\x00", "\thunter2"])
def test_more_than_one_line_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    path = tmp_path / "password"
    path.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match="keep the secret alone in it") as caught:
        Secret(f"file:{path}").resolve()
    assert "hunter" not in str(caught.value)


def test_what_is_shown_and_written_back_is_the_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "hunter2")
    login = Login.model_validate({"password": "env:SOME_PASSWORD"})
    for text in (repr(login), str(login), login.model_dump_json(), f"{login.password}"):
        assert "SOME_PASSWORD" in text
        assert "hunter2" not in text
    assert Login.model_validate_json(login.model_dump_json()) == login
    assert hash(login.password) == hash(Secret("env:SOME_PASSWORD"))


@pytest.mark.parametrize("written", ["hunter2", "env:", "file: ", "pass:x", "", 5, None, ["env:X"]])
def test_the_secret_itself_is_refused_and_not_repeated_in_the_message(written: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Login.model_validate({"password": written})
    (error,) = caught.value.errors()
    assert "write where the secret stands, env:NAME, file:/path or credential:NAME" in error["msg"]
    assert "hunter2" not in error["msg"]


def test_the_schema_says_what_a_reference_looks_like() -> None:
    assert Login.model_json_schema()["properties"]["password"]["pattern"] == "^(env|file|credential):.+"
