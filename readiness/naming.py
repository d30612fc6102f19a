"""What a device calls its data: names that a person can read, and namespaces of companion specifications.

A name that is an address in disguise ("DB10.W4", "D1000", "%MW12", "Holding_40001") tells a reader nothing that
a table of registers would not. Companion specifications are models of machines that working groups publish
under names of their own; what every server has (the base, device integration, the types of a PLC's language) is
no model of a machine.
"""

from __future__ import annotations

import re

LETTERS = 3
"""Latin letters that make a word; of Korean and other wide ones two carry as much."""
_WIDE = 0x2E80
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HEX = re.compile(r"\b[0-9a-fA-F]{8,}\b|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_STORAGE = frozenset(
    {
        "var", "variable", "tag", "node", "item", "value", "val", "data", "reg", "register",
        "word", "dword", "byte", "bit", "bool", "int", "uint", "dint", "udint", "sint",
        "lint", "real", "lreal", "float", "double", "string", "coil", "input", "output", "holding",
        "mem", "memory", "addr", "address", "offset", "index", "array", "signal", "point", "channel",
        "object", "static", "global", "gvl", "unnamed", "new", "test", "tmp", "plc", "opc",
        "opcua", "nsu", "urn", "dbw", "dbd", "dbx", "dbb", "none", "null", "unknown",
        "태그", "신호", "데이터", "주소", "워드", "비트", "레지스터", "변수", "접점", "번지",
    }
)  # fmt: skip
"""Words that say where or how something is kept, not what it is."""
_BASE = "http://opcfoundation.org/ua/"
_EVERYWHERE = frozenset({"", "di", "ia", "gds", "pubsub", "diagnostics", "safety", "onboarding", "fx"})
"""Below the base: models of devices, networks and servers in general."""
_ELSEWHERE = ("http://www.opcfoundation.org/ua/2013/01/isa95", "http://www.euromap.org/")
"""Companion specifications whose names are older than the rule."""


def bare(text: str) -> str:
    """Return a text in lower case without spaces, digits and punctuation."""
    return re.sub(r"[\W\d_]+", "", text).casefold()


def readable(name: str | None) -> bool:
    """Return whether a name has at least one word that says what the value is."""
    text = _CAMEL.sub(" ", _HEX.sub(" ", name or ""))
    for word in _WORD.findall(text):
        wide = sum(ord(letter) > _WIDE for letter in word)
        if (len(word) >= LETTERS or wide >= LETTERS - 1) and word.casefold() not in _STORAGE:
            return True
    return False


def companion(uri: str) -> bool:
    """Return whether a namespace belongs to a companion specification that models machines."""
    name = uri.strip().casefold()
    if name.startswith(_BASE):
        return name.removeprefix(_BASE).split("/")[0] not in _EVERYWHERE
    return name.startswith(_ELSEWHERE)
