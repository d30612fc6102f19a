"""What must hold between the entries of a catalogue: names are used once and lead somewhere, nothing needs itself.

Like `answers.checks` these read the plain data, so that they also speak when something else is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators import REGISTRY
from settings.language import Text
from settings.suggest import nearest
from settings.tree import List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from settings.tree import Location

    Finding = tuple[Location, Text]


def measures(root: Map) -> Iterator[Problem]:
    """Yield what is wrong between the measures of a file."""
    known = {name for _, item in _entries(root, "measures") if isinstance(name := item.get("id"), str)}
    yield from _told(root, _twice(root, "measures"))
    yield from _told(root, _names(root, known))
    yield from _told(root, _indicators(root))
    yield from _told(root, _together(root))
    yield from _told(root, _circles(root))


def programmes(root: Map, known: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong between the programmes of a file and the measures that there are."""
    yield from _told(root, _twice(root, "programmes"))
    yield from _told(root, _eligible(root, known))


def _told(root: Map, findings: Iterator[Finding]) -> Iterator[Problem]:
    for loc, text in findings:
        line, path = locate(root, loc)
        yield Problem(line, text, path)


def _entries(root: Map, section: str) -> Iterator[tuple[int, Map]]:
    found = root.get(section)
    for index, item in enumerate(found if isinstance(found, List) else ()):
        if isinstance(item, Map):
            yield index, item


def _words(item: Map, key: str) -> Sequence[str | None]:
    """Return the words of a list, None for what is none."""
    found = item.get(key)
    return [word if isinstance(word, str) else None for word in found] if isinstance(found, List) else []


def _twice(root: Map, section: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, item in _entries(root, section):
        name = item.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            yield (
                (section, index, "id"),
                Text(
                    f"{name} stands in line {first[name]} already", f"{first[name]}행에 이미 있는 id입니다({name})"
                ),
            )
        else:
            first[name] = item.lines.get("id", 1)


def _names(root: Map, known: Collection[str]) -> Iterator[Finding]:
    for index, item in _entries(root, "measures"):
        for key in ("needs", "together", "excludes"):
            for number, name in enumerate(_words(item, key)):
                if name == item.get("id"):
                    yield ("measures", index, key, number), Text("it names itself", "자기 자신을 가리킵니다")
                elif name is not None and name not in known:
                    yield ("measures", index, key, number), _unknown(name, known)


def _indicators(root: Map) -> Iterator[Finding]:
    for index, item in _entries(root, "measures"):
        for number, name in enumerate(_words(item, "gives")):
            if name is not None and name not in REGISTRY:
                yield ("measures", index, "gives", number), _no_indicator(name)
        needs = item.get("data")
        for number, need in enumerate(needs if isinstance(needs, List) else ()):
            name = need.get("indicator") if isinstance(need, Map) else None
            if isinstance(name, str) and name not in REGISTRY:
                yield ("measures", index, "data", number, "indicator"), _no_indicator(name)


def _together(root: Map) -> Iterator[Finding]:
    for index, item in _entries(root, "measures"):
        needs = set(_words(item, "needs"))
        for number, name in enumerate(_words(item, "together")):
            if name is not None and name not in needs:
                yield (
                    ("measures", index, "together", number),
                    Text(
                        f"{name} is not among needs: add it there", f"needs에 없습니다({name}). needs에도 쓰십시오"
                    ),
                )
        for number, name in enumerate(_words(item, "excludes")):
            if name is not None and name in needs:
                yield (
                    ("measures", index, "excludes", number),
                    Text(f"{name} is needed and excluded: keep one", f"needs와 excludes에 함께 있습니다({name})"),
                )


def _circles(root: Map) -> Iterator[Finding]:
    """Data needs count: of what gives an indicator any entry may be the one that is taken."""
    items = {str(item.get("id")): (index, item) for index, item in _entries(root, "measures")}
    givers: dict[str, set[str]] = {}
    for name, (_, item) in items.items():
        for indicator in _words(item, "gives"):
            givers.setdefault(str(indicator), set()).add(name)
    rests: dict[str, set[str]] = {}
    for name, (_, item) in items.items():
        found = {str(need) for need in _words(item, "needs")}
        data = item.get("data")
        for need in data if isinstance(data, List) else ():
            if isinstance(need, Map):
                found |= givers.get(str(need.get("indicator")), set())
        rests[name] = found & items.keys() - {name} if name not in found else found & items.keys()
    left = set(items)
    while free := {name for name in left if not rests[name] & left}:
        left -= free
    for name in sorted(left):
        if _reaches(name, rests):
            yield (
                ("measures", items[name][0], "id"),
                Text(f"{name} needs itself, through others", f"다른 과제를 거쳐 자기 자신을 필요로 합니다({name})"),
            )


def _reaches(name: str, rests: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    ahead = set(rests[name])
    while ahead:
        here = ahead.pop()
        if here == name:
            return True
        if here not in seen:
            seen.add(here)
            ahead |= rests[here]
    return False


def _eligible(root: Map, known: Collection[str]) -> Iterator[Finding]:
    for index, item in _entries(root, "programmes"):
        found = item.get("eligible")
        for name in found if isinstance(found, Map) else ():
            if name not in known:
                yield ("programmes", index, "eligible", name), _unknown(name, known)


def _unknown(name: str, known: Collection[str]) -> Text:
    hint = nearest(name[:100], sorted(known))
    if hint:
        return Text(f"no measure {name}; did you mean {hint}?", f"없는 과제입니다({name}). 혹시 {hint}입니까?")
    return Text(f"no measure {name} in the catalogue", f"과제 목록에 없습니다({name})")


def _no_indicator(name: str) -> Text:
    hint = nearest(name[:100], REGISTRY)
    if hint:
        return Text(f"no indicator {name}; did you mean {hint}?", f"없는 지표입니다({name}). 혹시 {hint}입니까?")
    return Text(f"no indicator {name}: see docs/indicators.md", f"없는 지표입니다({name}). docs/indicators.md 참고")
