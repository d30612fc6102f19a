"""Sends lines until each of them is certainly stored or certainly refused. Pure: the request is a function.

A server that refuses some lines of a request stores the others or does not, and its text names all refused
lines, some, or only the first reason; it differs by server and version. So the text decides nothing here but
whether lines were the trouble at all, and where to cut. A group of lines is

    204                     stored
    400 or 422              about a line: cut in two and sent again, a line alone is refused
    413, or cut off while sending   too large: cut in two
    anything else           the server's trouble, not the lines': StoreUnavailable

Sending a good line again is harmless. When a type conflict names a field, the cut is between the lines that
hold that field and the others, and when the server counts as many refused lines as it got, they are all refused
at once: one edited type costs three requests, not one per line. When lines are too old, the cut is between the
older and the newer half: however they are mixed, some twenty requests find the border. Only answers known to speak
about lines refuse: a 400 from something else (a wrong path, a proxy) must not turn good data into dead letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.stores.base import StoreUnavailable, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

REQUEST_LINES = 5_000
REQUEST_BYTES = 4_000_000
"""Of one request, before compression; InfluxDB 1.x takes 25 MB, a proxy before it often less."""

CUT_OFF = 0
"""Status of an exchange that broke while the request was being sent: some servers refuse a large body so."""

_ABOUT_LINES = re.compile(
    r"partial write|unable to parse|parsing failed|line protocol|failed to parse line|field type conflict"
    r"|beyond retention|outside of retention|outside retention|max key length|key too long"
    r"|invalid field|invalid tag"
)
_MAY_PASS = re.compile(r"limit exceeded|timeout|no space left|database is (?:locked|full)")
_DROPPED = re.compile(r"dropped=(\d+)")
_CONFLICT = re.compile(r'input field \\?"(.+?)\\?" on measurement')


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request."""

    status: int
    text: str


def send_lines(lines: Sequence[bytes], post: Callable[[bytes], Answer]) -> list[tuple[int, str]]:
    """Send lines; return the index and the reason of each refused one, sorted. All others are stored.

    Args:
        lines: Line protocol without newlines at the end.
        post: Sends one request body; raises StoreUnavailable when there is no answer.

    Raises:
        StoreUnavailable: the server cannot take lines now; part of them may be stored.
    """
    return finish(sending(lines, post))


def sending(
    lines: Sequence[bytes], post: Callable[[bytes], Answer]
) -> Generator[None, None, list[tuple[int, str]]]:
    """Do what `send_lines` does, and pause between two requests."""
    refused: list[tuple[int, str]] = []
    groups = _chunks(lines)
    first = True
    while groups:
        if not first:
            yield
        first = False
        group = groups.pop()
        answer = post(b"\n".join([lines[i] for i in group]) + b"\n")
        if answer.status == 204:  # not 200: that is a page of something else
            continue
        about_lines = answer.status in {400, 422} and _ABOUT_LINES.search(answer.text)
        if about_lines and not _MAY_PASS.search(answer.text):
            dropped = _DROPPED.search(answer.text)
            if len(group) == 1 or (dropped and int(dropped[1]) == len(group)):
                refused += [(i, answer.text[:500]) for i in group]
            else:
                groups += _cut(group, lines, answer.text)
        elif answer.status == 413 and len(group) == 1:
            refused.append((group[0], f"the server takes no line of {len(lines[group[0]])} bytes"))
        elif answer.status in {413, CUT_OFF} and len(group) > 1:
            groups += _halves(group)
        else:
            raise StoreUnavailable(f"the server answers {answer.status or 'nothing'}: {answer.text[:500]}")
    return sorted(refused)


def _chunks(lines: Sequence[bytes]) -> list[list[int]]:
    """Return groups of indices within the limits of a request, the first group last."""
    groups: list[list[int]] = []
    size = REQUEST_BYTES
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size > REQUEST_BYTES or len(groups[-1]) >= REQUEST_LINES:
            groups.append([])
            size = len(line) + 1
        groups[-1].append(index)
    return groups[::-1]


def _halves(group: list[int]) -> list[list[int]]:
    middle = len(group) // 2
    return [group[middle:], group[:middle]]


def _cut(group: list[int], lines: Sequence[bytes], text: str) -> list[list[int]]:
    """Return two groups: at the field that the text names, by age where that is the trouble, or the halves."""
    if named := _CONFLICT.search(text):
        field = named[1].encode()
        holds = re.compile(rb"[ ,]" + re.escape(field) + rb"=")
        suspects = [i for i in group if holds.search(lines[i])]
        if 0 < len(suspects) < len(group):
            others = set(suspects)
            return [suspects, [i for i in group if i not in others]]
    if "retention" in text:
        group = sorted(group, key=lambda i: int(lines[i].rpartition(b" ")[2]))
    return _halves(group)
