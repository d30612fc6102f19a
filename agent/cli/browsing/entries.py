"""What was found on a server, as lines of the configuration: ids from names, unique; only what the server said.

Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from agent.edit import inline
from agent.importing.ids import latin
from settings.suggest import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.collectors.opcua.choose import Found
    from agent.frame import DataType
    from settings.language import Text

ID_MOST = 48
ELEMENTS = 16
"""Of an array that is picked as a whole: more are hardly meant."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def usable(found: Found) -> bool:
    """Whether it can be written: as one signal, or as one for each field of a structure or element of an array."""
    return found.node_class == "Variable" and found.readable[1] and bool(_parts(found))


def _parts(found: Found) -> list[tuple[dict[str, Any], str, DataType]]:
    """Return what of its value can be a signal: the keys that say so, how it is called, its type."""
    if found.dtype is not None:
        return [({}, "", found.dtype)]
    if found.element is not None and found.rank in {None, 1} and found.length and found.length <= ELEMENTS:
        return [({"index": n}, str(n), found.element) for n in range(found.length)]
    if found.length is not None:
        return []
    return [({"field": name}, name, dtype) for name, dtype in found.fields]


def reason(found: Found) -> Text | None:
    """Return why it cannot."""
    return None if usable(found) else found.why_not


def entries(picked: Sequence[Found], taken: Iterable[str]) -> list[dict[str, Any]]:
    """Return a signal for each, in order.

    Args:
        picked: What `usable` allows; others are passed over.
        taken: Ids that the machine has already.
    """
    known = set(taken)
    often = Counter(found.name for found in picked)
    made: list[dict[str, Any]] = []
    for found in picked:
        if not usable(found):
            continue
        for keys, inside, dtype in _parts(found):
            names = _names(found, inside)
            several = often[found.name] > 1 and len(names) > 1
            id_ = unique(names[several:], known)
            known.add(id_)
            name = " ".join(part for part in (_parent(found) if several else "", found.name, inside) if part)
            entry: dict[str, Any] = {"id": id_, "name": name, "node": found.node, "type": str(dtype)} | keys
            if found.name == found.node:  # asked for by its id, nobody has told its name
                del entry["name"]
            if found.unit and "field" not in keys:
                entry["unit"] = found.unit
            if found.labels and not keys:
                entry["labels"] = dict(found.labels)
            entry["found"] = "browse"
            made.append(entry)
    return made


def _names(found: Found, inside: str) -> list[str]:
    """Return what it may be called, the shortest first: the name, then with each parent before it."""
    path = [part.replace("%2F", "/") for part in found.path.split("/")][1:]
    tails = [" ".join([*path[-n:], inside]) for n in range(1, len(path) + 1)]
    identifier = found.node.rpartition(";")[2].partition("=")[2]
    spoken = tails and re.search(r"[a-z]", slug(tails[0]))  # `모터 1 전류` would leave 1
    return [identifier, *tails] if re.search(r"[A-Za-z]", identifier) and not spoken else tails or [identifier]


def _parent(found: Found) -> str:
    return found.path.split("/")[-2].replace("%2F", "/")


def unique(names: Sequence[str], known: Iterable[str]) -> str:
    """Return an id of the first name that gives a free one; else that of the first with a number behind it."""
    taken = set(known)
    ids = [made for name in names if (made := id_of(name))]
    for made in ids:
        if made not in taken:
            return made
    base = (ids[0] if ids else "signal")[: ID_MOST - 5]
    number = 2 if ids else 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def id_of(name: str) -> str:
    """Return the id that a name gives: `ActualPosition` is `actual-position`, `전류` is `jeonryu`."""
    apart = re.sub(r"[\[\](){}:;,#\"'=]+", " ", _HUMP.sub("-", name))
    return re.sub(r"-{2,}", "-", latin(apart))[-ID_MOST:].strip("-_")


def line(entry: dict[str, Any]) -> str:
    """Return it as one line of YAML."""
    return f"- {inline(entry)}"
