"""What is written in a file, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from settings.base import Duration, Flag, Host, Size, written, written_size
from settings.broker import Broker
from settings.path import FullPath


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("500ms", 5 * 10**8), ("1.5s", 15 * 10**8), ("2 s", 2 * 10**9), ("1m", 60 * 10**9), ("1min", 60 * 10**9),
        ("8h", 8 * 3600 * 10**9), ("30d", 30 * 86400 * 10**9), ("0ms", 0),
    ],
)  # fmt: skip
def test_a_duration_is_read_with_its_unit(text: str, ns: int) -> None:
    assert TypeAdapter(Duration).validate_python(text) == ns
    assert TypeAdapter(Duration).validate_python(written(ns)) == ns


@pytest.mark.parametrize("text", ["500", 500, "5 sec", "-1s", "1e3s", "", None, "s", "9999999s", "１s", True])
def test_a_time_without_a_unit_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize(("text", "size"), [("2GB", 2 * 10**9), ("1.5 GB", 15 * 10**8), ("500MB", 5 * 10**8)])
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert TypeAdapter(Size).validate_python(text) == size
    assert TypeAdapter(Size).validate_python(written_size(size)) == size


@pytest.mark.parametrize("text", ["2", 2, "2GiB", "2gb", "-1MB", "MB", None])
def test_a_size_without_a_unit_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Size).validate_python(text)


@pytest.mark.parametrize(
    "host", ["192.168.0.10", "::1", "fe80::1", "plc", "plc_3.factory.local", "3com", "localhost"]
)
def test_a_host_is_an_address_or_a_name(host: str) -> None:
    assert TypeAdapter(Host).validate_python(host) == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        "192.168.0.300",
        "192.168.0",
        "10.0.0.1:502",
        "a b",
        "-plc",
        "http://plc",
        "한일",
        "a..b",
        "a.",
        f"{64 * 'a'}.b",
    ],
)
def test_anything_else_is_no_host(host: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Host).validate_python(host)


def test_a_path_is_full_or_refused() -> None:
    adapter: TypeAdapter[Path] = TypeAdapter(FullPath)
    for full in ("/var/lib/x", Path("/var/lib/x")):
        assert adapter.validate_python(full) == Path("/var/lib/x")
    for written_path in ("var", "", "~/x", 5, None, Path("x")):
        with pytest.raises(ValidationError, match="full path"):
            adapter.validate_python(written_path)


def test_a_password_needs_a_user() -> None:
    with pytest.raises(ValidationError, match="needs a user"):
        Broker.model_validate({"host": "h", "password": "env:P"})
    assert Broker.model_validate({"host": "h", "user": "u", "password": "env:P"}).port == 1883


@pytest.mark.parametrize("value", ["no", "yes", "on", "off", "true", "0", 0, 1, None])
def test_only_true_and_false_are_yes_and_no(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Flag).validate_python(value)
    assert TypeAdapter(Flag).validate_python(True) is True
