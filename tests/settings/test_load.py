"""From a path to a configuration, whatever stands in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from agent.config.load import read as agent_read
from settings.base import Duration, Model, Size
from settings.errors import ConfigError
from settings.language import Text
from settings.load import lines, load, read
from settings.tree import Map, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BEGIN = Text("begin with `every:`", "`every:`부터 쓰십시오")


class Small(Model):
    every: Duration
    size: Size = 10**6


def small(raw: bytes) -> tuple[Small | None, Sequence[Problem]]:
    return read(raw, Small, BEGIN)


def test_a_missing_file_is_named_in_the_language_of_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "none.yaml"
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    with pytest.raises(ConfigError, match="읽을 수 없습니다") as caught:
        load(path, small)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path, small, "en")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, small, "en")


def test_an_endless_file_is_read_to_the_limit_only() -> None:
    with pytest.raises(ConfigError, match="5 MB"):
        load("/dev/zero", small, "en")


def test_a_right_file_is_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text("every: 2s\nsize: 5MB\n")
    assert load(path, small) == Small.model_validate({"every": "2s", "size": "5MB"})


@pytest.mark.parametrize("raw", [b"", b"# nothing\n", b"- a\n", b"just text"])
def test_a_file_of_another_shape_is_told_how_to_begin(raw: bytes) -> None:
    assert small(raw) == (
        None,
        [Problem(1, Text("no configuration: begin with `every:`", "설정이 없습니다. `every:`부터 쓰십시오"))],
    )


def test_what_lies_between_the_parts_is_found_beside_other_mistakes() -> None:
    def check(root: Map) -> Iterator[Problem]:
        yield Problem(root.lines["every"], Text("never", "안 됩니다"), "every")

    raw = b"size: 5\nevery: 2s\n"
    config, found = read(raw, Small, BEGIN, check)
    assert config is None
    assert [(p.line, p.path) for p in found] == [(1, "size"), (2, "every")]
    assert read(b"every: 2s", Small, BEGIN, check)[0] is None


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i}: 1\n" for i in range(30_000)),
        "devices: [" + "1," * 200_000 + "]\n",
        "m" * 2_000_000 + ": 1\n",
        "machines: [" + "{id: m}," * 30_000 + "]\n",
    ],
    ids=["unknown keys", "wrong items", "a long key", "one id"],
)
def test_a_large_file_of_mistakes_is_answered_soon_and_in_part(text: str) -> None:
    """Each of these took minutes, or for ever, before it was counted what a mistake costs."""
    begun = time.process_time()
    config, problems = agent_read(text.encode())
    assert config is None
    assert 1 <= len(problems) <= 60_000
    assert time.process_time() - begun < 30


def test_one_mistake_of_a_thousand_signals_does_not_hide_the_others() -> None:
    wrong = [Problem(10 + n, Text("wrong", "틀림"), f"signals[s{n}].type") for n in range(1000)]
    other = Problem(700, Text("other", "다름"), "signals[s690].id")
    found = sorted([*wrong, other], key=lambda problem: problem.line)
    assert list(lines(found, "a.yaml", "en")) == [
        *(f"a.yaml:{10 + n}: signals[s{n}].type: wrong" for n in range(5)),
        "a.yaml:15: signals[s5].type: the same 995 times more, the last in line 1009",
        "a.yaml:700: signals[s690].id: other",
    ]
    assert list(lines(wrong[:6], "a.yaml", "ko"))[-1] == "a.yaml:15: signals[s5].type: 틀림", "no line is saved"


def test_many_different_mistakes_end_somewhere() -> None:
    found = [Problem(n, Text(f"wrong {n}", f"틀림 {n}")) for n in range(1, 301)]
    told = list(lines(found, "a.yaml", "ko"))
    assert told[99:] == ["a.yaml:100: 틀림 100", "a.yaml: 그 밖에 200개가 더 있습니다. 위의 것부터 고치십시오"]
    assert len(list(lines(found[:100], "a.yaml", "ko"))) == 100
