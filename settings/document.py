"""A YAML file as plain data that remembers its lines.

Constraints: the file comes from a Korean keyboard, a Windows editor, or an attacker with a USB stick; a mistake
is reported at its line, and nothing is guessed.

- Scalars follow the core schema of YAML 1.2: `08:00`, `no`, `on` and `2026-12-24` stay text (1.1, PyYAML's own
  resolver, makes 480, False, True and a date of them). One exception: a number with a leading zero stays text,
  because 000009 is an address and 0102 a password; pydantic reads it as a number where one is wanted.
- We build from libyaml's event stream, not from composed nodes: its composer recurses in C without a limit,
  events do not, and they take a third of the time (71,000 events of 5,000 signals: 0.08 s).
- An alias is the same Python object again, so a "bomb" costs nothing here; but whoever walks the tree pays for its
  expansion. So the expanded number of values is counted while building and limited.
- Duplicate keys, merge keys, tags and nesting beyond a limit are refused. All such complaints are collected; only a
  syntax error ends the reading.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from settings.encoding import decode, syntax, unprintable
from settings.language import Text
from settings.tree import List, Map, Problem

BYTES_LIMIT = 5_000_000
DEPTH_LIMIT = 40
VALUES_LIMIT = 1_000_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})")
_BASED = re.compile(r"0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What stands in a file: `root` is a Map, a List, a scalar or None; `problems` are of the YAML itself."""

    root: Any
    problems: tuple[Problem, ...] = ()


def scalar(text: str) -> bool | int | float | str | None:
    """Return a plain (unquoted) scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first.isascii() and (first.isdigit() or first in "+-."):
        if _INTEGER.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def parse(raw: bytes) -> Document:
    """Read YAML; never raises for what may stand in a file."""
    if len(raw) > BYTES_LIMIT:
        size = f"{len(raw) / 1e6:.1f} MB"
        return Document(
            None,
            (
                Problem(
                    1,
                    Text(
                        f"the file has {size}, more than a configuration can have (5 MB)",
                        f"파일 크기가 {size}로 한도(5 MB)를 넘습니다. 설정 파일이 맞는지 확인하십시오",
                    ),
                ),
            ),
        )
    text = decode(raw)
    if isinstance(text, Problem):
        return Document(None, (text,))
    if invisible := tuple(itertools.islice(unprintable(text), 20)):
        return Document(None, invisible)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except _TooMuch as stop:
        builder.problems.append(stop.problem)
    except yaml.YAMLError as exc:
        return Document(None, (*builder.problems, *syntax(text, exc)))
    return Document(builder.root, tuple(builder.problems))


class _TooMuch(Exception):  # noqa: N818 - ends the reading, never leaves this module
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A container that is still being filled."""

    value: Map | List
    line: int
    anchor: str | None
    count: int = 1  # values in it with aliases expanded
    key: str | None = None
    key_line: int = 0
    skip: bool = False  # the next value belongs to a refused key


@dataclass(slots=True)
class _Builder:
    """Turns events into Maps and Lists."""

    root: Any = None
    problems: list[Problem] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)  # name -> value, its expanded count
    _documents: int = 0

    def take(self, event: yaml.Event) -> None:
        assert event.start_mark is not None
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            self._tag(event, line)
            plain = event.implicit[0] and not event.style
            at_key = bool(self._stack) and isinstance(self._stack[-1].value, Map) and self._stack[-1].key is None
            value = event.value if at_key or not plain else scalar(event.value)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            self._add(value, 1, line)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._tag(event, line)
            if len(self._stack) >= DEPTH_LIMIT:
                raise _TooMuch(
                    Problem(line, Text("nested too deeply", f"중첩이 너무 깊습니다({DEPTH_LIMIT}단계까지)"))
                )
            self._stack.append(
                _Open(Map() if isinstance(event, yaml.MappingStartEvent) else List(), line, event.anchor)
            )
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._stack.pop()
            if done.anchor:
                self._anchors[done.anchor] = (done.value, done.count)
            self._add(done.value, done.count, done.line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _TooMuch(
                    Problem(
                        line,
                        Text(
                            "a second document begins here (---): one file holds one configuration",
                            "여기서 두 번째 문서(---)가 시작됩니다. 한 파일에는 설정 하나만 둡니다",
                        ),
                    )
                )

    def _tag(self, event: yaml.NodeEvent, line: int) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            tag = tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.append(
                Problem(line, Text(f"remove the tag {tag}", f"태그는 쓸 수 없습니다({tag}). 지우십시오"))
            )

    def _alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            self.problems.append(
                Problem(
                    line,
                    Text(
                        f"*{name} is not defined before this line",
                        f"이 줄 앞에 정의되지 않은 별칭입니다(*{name})",
                    ),
                )
            )
            self._add(None, 1, line)
            return
        value, count = self._anchors[name]
        self._add(value, count, line)

    def _add(self, value: Any, count: int, line: int) -> None:
        """Put a finished value where it belongs."""
        if not self._stack:
            self.root = value
            return
        top = self._stack[-1]
        top.count += count
        if top.count > VALUES_LIMIT:
            raise _TooMuch(
                Problem(
                    line,
                    Text(
                        f"more than {VALUES_LIMIT:,} values once its aliases (*) are written out",
                        f"별칭(*)을 모두 펼치면 값이 {VALUES_LIMIT:,}개를 넘습니다",
                    ),
                )
            )
        if isinstance(top.value, List):
            top.value.append(value)
            top.value.lines.append(line)
        elif top.key is None and not top.skip:
            self._key(top, value, line)
        else:
            if not top.skip and top.key is not None:
                top.value[top.key] = value
                top.value.lines[top.key] = top.key_line
            top.key, top.skip = None, False

    def _key(self, top: _Open, key: Any, line: int) -> None:
        if not isinstance(key, str):
            self.problems.append(
                Problem(
                    line, Text("a key must be a word, not a list or a mapping", "키 자리에는 단어만 올 수 있습니다")
                )
            )
            top.skip = True
        elif key == "<<":
            self.problems.append(
                Problem(
                    line,
                    Text(
                        "merge keys (<<) are not supported: write the keys out",
                        "병합 키(<<)는 쓸 수 없습니다. 항목을 직접 쓰십시오",
                    ),
                )
            )
            top.skip = True
        elif key in top.value:
            assert isinstance(top.value, Map)
            first = top.value.lines[key]
            self.problems.append(
                Problem(
                    line,
                    Text(
                        f"{key} is written twice (first in line {first}): keep one",
                        f"같은 항목이 두 번 있습니다({key}, 처음 {first}행). 하나만 남기십시오",
                    ),
                )
            )
            top.skip = True
        else:
            top.key, top.key_line = key, line
