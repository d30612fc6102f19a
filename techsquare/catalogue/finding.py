"""For checks between the parts of a file: places of entries, ids that stand twice, names that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text
from settings.suggest import nearest
from settings.tree import List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from settings.tree import Location

    Finding = tuple[Location, Text]


def told(root: Map, findings: Iterator[Finding]) -> Iterator[Problem]:
    """Yield findings with their lines."""
    for loc, text in findings:
        line, path = locate(root, loc)
        yield Problem(line, text, path)


def entries(item: Map, section: str) -> Iterator[tuple[int, Map]]:
    """Yield the entries of a list that are maps, with their places."""
    found = item.get(section)
    for index, entry in enumerate(found if isinstance(found, List) else ()):
        if isinstance(entry, Map):
            yield index, entry


def words(item: Map, key: str) -> Iterator[tuple[int, str]]:
    """Yield the words of a list, with their places."""
    found = item.get(key)
    for index, word in enumerate(found if isinstance(found, List) else ()):
        if isinstance(word, str):
            yield index, word


def twice(item: Map, sections: tuple[str, ...], before: Location = ()) -> Iterator[Finding]:
    """Yield ids that stand twice in any of some lists."""
    first: dict[str, int] = {}
    for section in sections:
        for index, entry in entries(item, section):
            name = entry.get("id")
            if not isinstance(name, str):
                continue
            if name in first:
                yield (
                    (*before, section, index, "id"),
                    Text(
                        f"{name} stands in line {first[name]} already",
                        f"{first[name]}행에 이미 있는 id입니다({name})",
                    ),
                )
            else:
                first[name] = entry.lines.get("id", 1)


def unknown(what: Text, name: str, known: Collection[str]) -> Text:
    """Return that nothing has this name, and which name is nearest."""
    hint = nearest(name[:100], sorted(known))
    if hint:
        return Text(
            f"no {what.en} {name}; did you mean {hint}?", f"없는 {what.ko}입니다({name}). 혹시 {hint}입니까?"
        )
    return Text(f"no {what.en} {name}", f"없는 {what.ko}입니다({name})")
