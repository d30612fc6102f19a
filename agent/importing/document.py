"""The device section of imported signals: as data for an existing file, and as a commented text. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from agent.importing.ids import latin
from settings.document import scalar
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.importing.signals import Import, Imported
    from agent.importing.table import Table
    from settings.language import Language

_PLAIN = re.compile(r"[A-Za-z가-힣_][A-Za-z0-9가-힣_ ./()-]*[A-Za-z0-9가-힣_)]|[A-Za-z가-힣_]")
_NO_TEXT = frozenset({"y", "n", "yes", "no", "on", "off"})
"""Words that YAML 1.1, which other tools read, takes for true and false."""


def device_id(table: Table, stem: str) -> str:
    """Return an id for the device: of the PLC's name in the file, else of the file's."""
    return (latin(table.properties.get("plc name", "")) or latin(stem) or "plc")[:32].strip("-_")


def device(result: Import, *, name: str, machine: str, host: str, every: str) -> dict[str, Any]:
    """Return the device with the chosen signals, for `agent.edit.add_device`."""
    found: dict[str, Any] = {"id": name, "type": result.protocol, "machine": machine, "host": host}
    if result.protocol == "xgt":
        found["cpu"] = result.cpu
    chosen = [signal.entry for signal in result.signals if signal.chosen]
    return found | {"groups": [{"id": "main", "every": every, "signals": chosen}]}


def written(made: Mapping[str, Any], result: Import, source: str, language: Language) -> str:
    """Return the section as text: the chosen signals, the others as comments, and what is to be done.

    Args:
        made: The device, of `device`.
        result: Signals of the file.
        source: Name of the file.
        language: Of the comments.
    """
    return "\n".join(_lines(made, result, source, language)) + "\n"


def _lines(made: Mapping[str, Any], result: Import, source: str, language: Language) -> Iterator[str]:
    chosen = sum(signal.chosen for signal in result.signals)
    count, total, skipped = chosen, len(result.signals), len(result.skipped)
    yield "# " + Text(
        f"From {_one_line(source)}: {count} of {total} signals, {skipped} variables left out.",
        f"{_one_line(source)}에서 가져옴: 태그 {total}개 중 {count}개, 제외 {skipped}개",
    )(language)
    yield "# " + Text(
        "Check host, machine, word order and every role marked `guess: true`; then remove `guess`.",
        "host, machine, 워드 순서와 guess: true인 역할을 확인하고, 맞으면 guess를 지우십시오",
    )(language)
    yield "devices:"
    yield f"  - id: {value(made['id'])}"
    yield f"    type: {made['type']}"
    yield f"    machine: {value(made['machine'])}"
    yield f"    host: {value(made['host'])}" + Text("  # the PLC's address", "  # PLC의 IP 주소")(language)
    if "cpu" in made:
        assumed = Text("  # assumed from the addresses", "  # 주소 형식으로 추정")
        yield f"    cpu: {made['cpu']}" + ("" if result.cpu_told else assumed(language))
    yield "    groups:"
    yield "      - id: main"
    yield f"        every: {made['groups'][0]['every']}"
    yield "        signals:" if chosen else "        signals: []"
    for signal in result.signals:
        if signal.chosen:
            yield f"          - {flow(signal.entry)}{_why(signal, language)}"
    if chosen < total:
        yield "          # " + Text(
            "not marked for HMI or OPC UA in the export; remove the # of those that are needed:",
            "HMI/OPC UA로 지정되지 않은 변수. 필요한 줄의 #을 지우십시오:",
        )(language)
        for signal in result.signals:
            if not signal.chosen:
                yield f"          # - {flow(signal.entry)}{_why(signal, language)}"


def _why(signal: Imported, language: Language) -> str:
    reasons = ", ".join(_one_line(reason(language)) for reason in signal.reasons)
    return f"  # {reasons}" if reasons else ""


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def flow(entry: Mapping[str, Any]) -> str:
    """Return a signal in one line."""
    return "{" + ", ".join(f"{key}: {value(item)}" for key, item in entry.items()) + "}"


def value(item: Any) -> str:
    """Return a scalar as YAML that reads back as itself, in double quotes where it must."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return repr(item)
    text = str(item)
    if _PLAIN.fullmatch(text) and "  " not in text and scalar(text) == text and text.lower() not in _NO_TEXT:
        return text
    return json.dumps(text, ensure_ascii=False)
