"""The line of YAML that a probe found: chosen by options or by questions, and written into the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent.cli.saving import save, text_of
from agent.collectors.moments import FORMATS
from agent.edit import add_signals, change_signal, inline
from agent.frame import DataType
from agent.importing.ids import ids
from agent.interpretation import label, shown
from settings.language import Complaint, Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.cli.probing import Window
    from agent.config.model import Device
    from agent.interpretation import Candidate, Guess
    from settings.language import Language

MOST_CHOICES = 9
_ID = re.compile(r"[a-z0-9_-]{1,48}")


def entry(what: Window, device: Device, chosen: Candidate) -> dict[str, Any]:
    """Return address, type and order as they are written; without id, name and unit."""
    kind = chosen.kind
    found: dict[str, Any] = {"address": what.labels[what.at + chosen.shift], "type": str(kind.dtype)}
    if kind.bcd:
        found["bcd"] = True
    if kind.moment is not None:
        found["format"] = kind.moment
        if FORMATS[kind.moment].local:
            found["zone"] = kind.zone
    if kind.dtype is DataType.STRING:
        found |= {"length": kind.length, "encoding": kind.encoding}
    if _plain(chosen.order, kind.size) != _plain(getattr(device, "word_order", "ABCD"), kind.size):
        found["word_order"] = chosen.order
    return found


def _plain(order: str, size: int) -> str:
    """Return an order as far as it matters: one word has only two."""
    return order if size > 2 else {"CDAB": "ABCD", "DCBA": "BADC"}.get(order, order)


def wanted(args: argparse.Namespace, what: Window, device: Device, told: Guess) -> dict[str, Any]:
    """Return the signal that the options ask for.

    Raises:
        Complaint: they leave the type open, and no guess is clear.
    """
    if args.type is not None or what.bits:
        shift = args.shift
        if not 0 <= what.at + shift < len(what.labels):
            raise Complaint("there is no such address", "없는 주소입니다")
        found: dict[str, Any] = {"address": what.labels[what.at + shift], "type": args.type or "bool"}
        found |= {"bit": args.bit} if args.bit is not None else {}
        found |= {"word_order": args.word_order} if args.word_order else {}
    elif told.best is not None and told.clear:
        found = entry(what, device, told.best)
    else:
        raise Complaint(
            "the type is not clear from what was read: write --type (and --word-order)",
            "읽은 값만으로는 자료형이 확실하지 않습니다. --type(과 --word-order)을 쓰십시오",
        )
    return named(args.write, args.name, args.unit, found)


def named(id_: str, name: str | None, unit: str | None, found: dict[str, Any]) -> dict[str, Any]:
    """Return the whole signal, keys in the order of the file."""
    whole: dict[str, Any] = {"id": id_} | ({"name": name} if name else {}) | found
    if unit:
        whole["unit"] = unit
    return whole | {"found": "probe"}


def ask(
    what: Window,
    device: Device,
    told: Guess,
    candidates: Sequence[Candidate],
    language: Language,
    answer: Callable[[str], str] = input,
) -> dict[str, Any] | None:
    """Ask which line to write; None when nobody wants any."""
    choices = sorted((c for c in candidates if c.plausible), key=lambda c: (c is not told.best, -c.score))
    choices = choices[:MOST_CHOICES]
    if not choices and not what.bits:
        return None
    for number, choice in enumerate(choices, 1):
        line = inline(entry(what, device, choice))
        print(f"  {number}  {label(choice):18} {shown(choice.values[-1]):>14}   {line}")
    question = Text("write which into the file? number, or Enter for none: ", "저장할 번호(없으면 Enter): ")
    if what.bits:
        question = Text("write it into the file? y, or Enter for no: ", "저장하려면 y, 아니면 Enter: ")
    try:
        said = answer(question(language)).strip()
        if what.bits and said.lower() in {"y", "yes", "예", "ㅛ"}:
            found = {"address": what.labels[what.at], "type": "bool"}
        elif said.isdecimal() and 1 <= int(said) <= len(choices):
            found = entry(what, device, choices[int(said) - 1])
        else:
            return None
        name = answer(Text("name, as people call it: ", "이름(현장에서 부르는 이름): ")(language)).strip()
        (usual,) = ids([(name, found["address"])], (s.id for group in device.groups for s in group.signals))
        text = Text(f"id, a-z 0-9 - [{usual}]: ", f"id, 영문 소문자·숫자·- [{usual}]: ")
        while (id_ := answer(text(language)).strip() or usual) and not _ID.fullmatch(id_):
            print("  " + Text("write a-z, 0-9, - and _ only", "영문 소문자, 숫자, -, _만 쓰십시오")(language))
        unit = answer(Text("unit, such as A or degC, or Enter: ", "단위(A, degC 등, 없으면 Enter): ")(language))
    except (EOFError, KeyboardInterrupt):
        print("\n" + Text("nothing written", "저장하지 않았습니다")(language))
        return None
    return named(id_, name, unit.strip(), found)


def save_signal(
    file: Path, device_id: str, signal: dict[str, Any], group: str | None, every: str | None, language: Language
) -> str:
    """Write the signal; return the sentence that says so.

    A signal of that id that stands there already keeps its other keys: only what was found changes.

    Raises:
        Complaint, ConfigError: nothing was written.
    """
    before = text_of(file, language)
    try:
        changes = {key: value for key, value in signal.items() if key != "id"}
        after, there = change_signal(before, device_id, signal["id"], changes), True
    except Complaint:
        after, there = add_signals(before, device_id, group, [signal], every=every), False
    save(file, before, after, language)
    done = Text("changed", "변경했습니다") if there else Text("written", "저장했습니다")
    kept = Text(f"the file before: {file}.bak", f"이전 파일: {file}.bak")
    return f"{file}: {done(language)}: {inline(signal)} ({kept(language)})"
