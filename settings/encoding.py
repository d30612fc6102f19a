"""Why some bytes are no readable YAML: encodings, invisible characters, and what breaks the syntax."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from settings.characters import strange
from settings.language import Text
from settings.tree import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def decode(raw: bytes) -> str | Problem:
    """Return the text, or why it is none."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Problem(
            1,
            Text(
                'the file is saved as UTF-16 ("Unicode"): save it as UTF-8',
                "파일이 UTF-16(유니코드)으로 저장되어 있습니다. 인코딩을 UTF-8로 하여 다시 저장하십시오",
            ),
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
    try:
        raw.decode("cp949")
    except UnicodeDecodeError:
        return Problem(
            line,
            Text(
                "this line is not UTF-8 text: the file may be damaged, or saved in another encoding",
                "이 줄은 UTF-8 문자가 아닙니다. 파일이 손상되었거나 다른 인코딩으로 저장되었습니다",
            ),
        )
    return Problem(
        line,
        Text(
            'the file is saved as CP949 ("ANSI" in Korean Windows): save it as UTF-8',
            "파일이 CP949(ANSI, EUC-KR)로 저장되어 있습니다. 인코딩을 UTF-8로 하여 다시 저장하십시오",
        ),
    )


def unprintable(text: str) -> Iterator[Problem]:
    """Yield a problem for what YAML refuses, or what would shift the count of lines: each character once a line."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        for char in dict.fromkeys(_UNPRINTABLE.findall(line)):
            code = f"U+{ord(char):04X}"
            name = unicodedata.name(char, "")
            yield Problem(
                number,
                Text(
                    f"invisible character {code} ({name or 'control character'}): delete it",
                    f"보이지 않는 문자 있음: {code}({name or '제어 문자'}). 지우십시오",
                ),
            )


def syntax(text: str, exc: yaml.YAMLError) -> list[Problem]:
    """Say in plain words why the text is no YAML: the usual causes first."""
    lines = re.split(r"\r\n|\r|\n", text)
    tabs = [n for n, line in enumerate(lines, 1) if "\t" in line[: len(line) - len(line.lstrip())]]
    if tabs:
        words = Text(
            "indent with spaces, not with a tab", "들여쓰기에 탭을 쓸 수 없습니다. 공백(스페이스)으로 들여쓰십시오"
        )
        return [Problem(n, words) for n in tabs]
    foreign = getattr(exc, "problem", None) or str(exc)
    order = ("problem_mark", "context_mark")
    if "expected ':'" in foreign:
        order = (
            "context_mark",
            "problem_mark",
        )  # the colon is missing where the key begins, and missed a line later
    marks = [getattr(exc, name, None) for name in order]
    found = [mark.line + 1 for mark in marks if mark is not None]
    # what is never closed is noticed at the end of the file, and begins at the context
    number = next((n for n in found if n <= len(lines) and lines[n - 1].strip()), 1)
    line = lines[number - 1]
    for near in (number, number - 1):  # a full-width colon shows only in the next line
        if near < 1 or (odd := strange(lines[near - 1])) is None:
            continue
        return [
            Problem(
                near,
                Text(
                    f"not readable; the line holds {odd.en}: type it again with the keyboard set to English",
                    f"읽을 수 없습니다. 이 줄에 {odd.ko} 있음. 영문 입력 상태에서 다시 입력하십시오",
                ),
            )
        ]
    if match := re.search(r"(?:^|[\s,:{\[])([%@`&*!|>][^\s,}\]]*)", line):
        piece = match[1]
        return [
            Problem(
                number,
                Text(
                    f'not readable; a text that begins with {piece[0]} needs quotes: "{piece}" ({foreign})',
                    f'읽을 수 없습니다. {piece[0]} 문자로 시작하는 값은 따옴표로 묶으십시오: "{piece}" ({foreign})',
                ),
            )
        ]
    return [
        Problem(
            number,
            Text(
                f"not readable here: check indentation, quotes, brackets and the space after a colon ({foreign})",
                f"여기서 읽을 수 없습니다. 들여쓰기, 따옴표, 괄호, 쌍점(:) 뒤 공백을 확인하십시오 ({foreign})",
            ),
        )
    ]
