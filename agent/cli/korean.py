"""The words of argparse itself in Korean: usage, options, and what is wrong with a command line.

argparse takes them from a function of its module, meant for gettext. We put ours there: no files of messages, and
English for every locale that is not Korean.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.language import Language

WORDS: Mapping[str, str] = {
    "usage: ": "사용법: ",
    "positional arguments": "항목",
    "options": "옵션",
    "show this help message and exit": "이 도움말 출력",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
    "the following arguments are required: %s": "빠진 항목이 있습니다: %s",
    "unrecognized arguments: %s": "알 수 없는 항목입니다: %s",
    "not allowed with argument %s": "%s와(과) 함께 쓸 수 없습니다",
    "ignored explicit argument %r": "값을 받지 않는 옵션입니다(%r)",
    "one of the arguments %s is required": "다음 중 하나가 필요합니다: %s",
    "expected one argument": "값이 하나 필요합니다",
    "expected at most one argument": "값은 하나까지만 쓸 수 있습니다",
    "expected at least one argument": "값이 하나 이상 필요합니다",
    "expected %s argument": "값이 %s개 필요합니다",
    "expected %s arguments": "값이 %s개 필요합니다",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s: 뜻이 여러 가지입니다: %(matches)s",
    "invalid %(type)s value: %(value)r": "형식이 맞지 않습니다(%(type)s): %(value)r",
    "invalid choice: %(value)r (choose from %(choices)s)": "쓸 수 없는 값입니다(%(value)r). 가능한 값: %(choices)s",
    "%(prog)s: error: %(message)s\n": "%(prog)s: 오류: %(message)s\n",
}


def speak(language: Language) -> None:
    """Let argparse speak a language from now on."""

    def one(text: str) -> str:
        return WORDS.get(text, text) if language == "ko" else text

    def counted(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    vars(argparse).update({"_": one, "ngettext": counted})
