"""Edits the text of a YAML file: what a person wrote stays, comments, order, quotes and line ends included.

A program that loads a file and dumps it again loses all of that, so we never do: we find in the text where a list
or a mapping ends, and insert there. Positions come from the events of the YAML parser; a small tree of them is
built here, because composed nodes forget where an alias stands.

    add_signals(text, "press-plc", "fast", [{"id": "current", "address": "holding:8", "type": "float32"}])
    add_device(text, {"id": "meter", "type": "modbus", ...})
    change_signal(text, "press-plc", "current", {"word_order": "CDAB"})

What is inserted takes the style of its neighbours: one line in braces, or one line a key. An empty list `[]` in a
block becomes a block. Each edit is proved before it is returned: the new text, read again, must mean what the
old one meant plus exactly the entry. Where that cannot be had (a list that an alias shares, an odd layout) the edit
is refused, and nothing is changed.

Pure. Writing the file is `agent.cli.saving`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from settings.document import parse, scalar
from settings.language import Complaint
from settings.tree import Map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOM = "\ufeff"
_PLAIN = re.compile(r"[A-Za-z가-힣_/](?:[A-Za-z0-9가-힣_./%()-]| (?=[^ #]))*|[0-9]+(?:ms|s|m|h|d|(?:\.[0-9]+){3})")
_WORDS_OF_YAML_1_1 = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_ONE_LINE = 110


@dataclass(slots=True)
class _Node:
    """A value in the text: where it stands, and what stands in it."""

    kind: str  # "map", "list", "scalar", "alias"
    start: int
    end: int
    flow: bool = False
    value: str = ""
    items: list[_Node] = field(default_factory=list)  # of a map: key, value, key, value

    def get(self, key: str) -> _Node | None:
        """Return the value of a key of a map."""
        if self.kind != "map":
            return None
        return next((v for k, v in self.pairs() if k.value == key), None)

    def pairs(self) -> list[tuple[_Node, _Node]]:
        return list(zip(self.items[::2], self.items[1::2], strict=True))

    def last(self) -> int:
        """Return where its content ends: a block's own end mark lies behind the comments that follow it."""
        node = self
        while not node.flow and node.items:
            node = node.items[-1]
        return node.end


def add_signals(
    text: str,
    device_id: str,
    group_id: str | None,
    entries: Sequence[Mapping[str, Any]],
    *,
    every: str | None = None,
) -> str:
    """Return the text with signals appended to a group of a device.

    Args:
        text: The file, line ends as they are in it.
        device_id: Which device.
        group_id: Which group of it; None when it has only one.
        entries: The signals, keys in the order in which they shall stand.
        every: Poll interval of the group, which is made when it is not there; None refuses an unknown group.

    Raises:
        Complaint: there is no such device or group, or the text cannot be edited so.
    """
    root = _tree(text)
    number, device = _device(root, device_id)
    groups = device.get("groups")
    known = [_id(group) or "main" for group in groups.items] if groups and groups.kind == "list" else []
    if group_id is None and len(known) > 1:
        raise Complaint(
            f"{device_id} has several groups: choose one of {', '.join(known)}",
            f"{device_id}에 그룹이 여러 개입니다. 다음 중에서 고르십시오: {', '.join(known)}",
        )
    wanted = group_id or (known[0] if known else "main")
    where: tuple[int | str, ...]
    if groups is None or wanted not in known:
        if every is None:
            names = ", ".join(known) or "-"
            raise Complaint(
                f"{device_id} has no group {wanted}: choose one of {names}, or give the interval of a new one "
                "(--group-every; import: --every)",
                f"{device_id}에 없는 그룹입니다({wanted}). 그룹: {names}. 새 그룹은 수집 주기"
                "(--group-every, import는 --every)도 쓰십시오",
            )
        made = {"id": wanted, "every": every, "signals": [dict(e) for e in entries]}
        where, new = ("devices", number, "groups"), [made]
        after = _put(text, device, "groups", new)
    else:
        index = known.index(wanted)
        where, new = ("devices", number, "groups", index, "signals"), [dict(e) for e in entries]
        after = _put(text, groups.items[index], "signals", new)
    return _proved(text, after, where, new)


def add_device(text: str, entry: Mapping[str, Any]) -> str:
    """Return the text with a device appended.

    Raises:
        Complaint: the text cannot be edited so.
    """
    root = _tree(text)
    return _proved(text, _put(text, root, "devices", [dict(entry)]), ("devices",), [dict(entry)])


def change_signal(text: str, device_id: str, signal_id: str, changes: Mapping[str, Any]) -> str:
    """Return the text with keys of one signal set; its other keys and its place stay.

    Raises:
        Complaint: there is no such device or signal, or the text cannot be edited so.
    """
    number, device = _device(_tree(text), device_id)
    groups = device.get("groups")
    for g, group in enumerate(groups.items if groups else ()):
        signals = group.get("signals")
        for s, signal in enumerate(signals.items if signals else ()):
            if _id(signal) == signal_id:
                where = ("devices", number, "groups", g, "signals", s)
                after = _changed(text, signal, changes)
                return _proved(text, after, where, dict(changes))
    raise Complaint(
        f"{device_id} has no signal {signal_id} of its own in this file",
        f"이 파일의 {device_id}에 없는 태그입니다({signal_id})",
    )


def inline(value: Any) -> str:
    """Return a value as it is written in one line of YAML.

    Raises:
        Complaint: it is none that a configuration can hold.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(v) for v in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        written = repr(value)
        if isinstance(scalar(written), (int, float)):
            return written
        raise Complaint(f"{written} is no number that a file can hold", f"파일에 쓸 수 없는 숫자입니다({written})")
    return _quoted(str(value))


def _key(key: object) -> str:
    return str(key) if isinstance(key, int) else inline(str(key))


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML_1_1 and scalar(text) == text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def _tree(text: str) -> _Node:
    """Build the tree of a text that is known to be readable."""
    document = parse(text.encode("utf-8", "surrogatepass"))
    if document.problems or not isinstance(document.root, Map):
        problem = document.problems[0].text if document.problems else None
        raise Complaint(
            f"the file cannot be read: {problem.en}" if problem else "the file holds no configuration",
            f"파일을 읽을 수 없습니다: {problem.ko}" if problem else "설정이 없는 파일입니다",
        )
    shift = len(text) - len(text.removeprefix(_BOM))
    top = _Node("list", 0, 0)
    stack = [top]
    for event in yaml.parse(text[shift:], Loader=_Loader):
        assert event.start_mark is not None
        assert event.end_mark is not None
        start, end = event.start_mark.index + shift, event.end_mark.index + shift
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
            node = _Node(kind, start, end, bool(event.flow_style))
            stack[-1].items.append(node)
            stack.append(node)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop().end = end
        elif isinstance(event, yaml.ScalarEvent):
            stack[-1].items.append(_Node("scalar", start, end, value=event.value))
        elif isinstance(event, yaml.AliasEvent):
            stack[-1].items.append(_Node("alias", start, end))
    return top.items[0]


def _id(node: _Node) -> str | None:
    found = node.get("id")
    return found.value if found is not None and found.kind == "scalar" else None


def _device(root: _Node, device_id: str) -> tuple[int, _Node]:
    devices = root.get("devices")
    known = devices.items if devices is not None and devices.kind == "list" else []
    for number, device in enumerate(known):
        if _id(device) == device_id:
            return number, device
    names = ", ".join(name for device in known if (name := _id(device))) or "-"
    raise Complaint(
        f"there is no device {device_id} in this file: write one of {names}",
        f"이 파일에 없는 장치입니다({device_id}). 쓸 수 있는 장치: {names}",
    )


def _put(text: str, holder: _Node, key: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """Append entries to the list under a key of a map, which may be missing, empty or null."""
    found = holder.get(key)
    if found is None:
        return _add_key(text, holder, key, list(entries))
    if found.kind == "list" and found.items:
        return _append_flow(text, found, entries) if found.flow else _append_block(text, found, entries)
    name = next(k for k, v in holder.pairs() if v is found)
    if found.kind == "scalar" and scalar(text[found.start : found.end]) is not None:
        raise Complaint(f"{key} is not a list in this file", f"이 파일의 {key} 항목이 목록이 아닙니다")
    inside = text[found.start : found.end]
    if holder.flow or (found.flow and "#" in inside):
        if found.kind != "list":
            return _splice(text, [(found.start, found.end, ("" if inside else " ") + inline(list(entries)))])
        rest = ", ".join(inline(e) for e in entries)
        return _splice(text, [(found.start + 1, found.start + 1, rest)])
    if found.kind == "alias":
        return text  # it belongs to somebody else as well: the proof refuses
    lines = _block(list(entries), _column(text, name.start) + 2)
    line = _line_end(text, found.end)
    edits = [(found.start, found.end, ""), (line, line, _lines(text, line, lines))]
    return _splice(text, edits)


def _append_block(text: str, node: _Node, entries: Sequence[Mapping[str, Any]]) -> str:
    dash = re.compile(r"(?:&\S+)?(?:\s|#[^\n]*\n)*").match(text, node.start)
    column = _column(text, dash.end() if dash else node.start)
    last = node.items[-1]
    lines: list[str] = []
    for entry in entries:
        lines += [" " * column + "- " + inline(entry)] if last.flow else _item(entry, column, flow=False)
    at = _line_end(text, node.last())
    return _splice(text, [(at, at, _lines(text, at, lines))])


def _append_flow(text: str, node: _Node, entries: Sequence[Mapping[str, Any]]) -> str:
    last = node.items[-1]
    rest = re.compile(r"\s*(,?)([ \t]*)((?:#[^\n]*)?)(\r?\n?)").match(text, last.end)
    own_line = (
        "\n" in text[node.start : last.start] and not text[_line_start(text, last.start) : last.start].strip()
    )
    if rest is None or not own_line or not rest[4] or "\n" in rest[0][: rest.start(1) - last.end]:
        return _splice(text, [(last.end, last.end, "".join(f", {inline(e)}" for e in entries))])
    lead = _eol(text) + " " * _column(text, last.start)
    added = ",".join(lead + inline(e) for e in entries) + rest[1]
    edits = [(rest.start(4), rest.start(4), added)]
    if not rest[1]:
        edits.insert(0, (last.end, last.end, ","))
    return _splice(text, edits)


def _add_key(text: str, holder: _Node, key: str, value: Any) -> str:
    if holder.flow:
        written = f"{key}: {inline(value)}"
        if not holder.items:
            return _splice(text, [(holder.start + 1, holder.start + 1, written)])
        at = holder.items[-1].end
        return _splice(text, [(at, at, f", {written}")])
    column = _column(text, holder.items[0].start)
    at = _line_end(text, holder.last())
    return _splice(text, [(at, at, _lines(text, at, _pair(key, value, column)))])


def _changed(text: str, signal: _Node, changes: Mapping[str, Any]) -> str:
    edits: list[tuple[int, int, str]] = []
    missing: dict[str, Any] = {}
    for key, value in changes.items():
        found = signal.get(key)
        if found is None:
            missing[key] = value
        else:
            space = "" if found.end > found.start else " "
            edits.append((found.start, found.last() if found.items else found.end, space + inline(value)))
    if missing and signal.flow:
        at = signal.items[-1].end
        edits.append((at, at, "".join(f", {k}: {inline(v)}" for k, v in missing.items())))
    elif missing:
        column, at = _column(text, signal.items[0].start), _line_end(text, signal.last())
        lines = [" " * column + f"{k}: {inline(v)}" for k, v in missing.items()]
        edits.append((at, at, _lines(text, at, lines)))
    return _splice(text, edits)


def _block(value: Sequence[Mapping[str, Any]], column: int) -> list[str]:
    return [line for entry in value for line in _item(entry, column, flow=True)]


def _item(entry: Mapping[str, Any], column: int, *, flow: bool) -> list[str]:
    """Return the lines of one item of a block list; `flow` prefers one line where that is short and shallow."""
    one = inline(entry)
    deep = any(isinstance(v, list) and any(isinstance(i, dict) for i in v) for v in entry.values())
    if flow and not deep and len(one) <= _ONE_LINE:
        return [" " * column + "- " + one]
    lines = [line for k, v in entry.items() for line in _pair(k, v, column + 2)]
    return [" " * column + "- " + lines[0].lstrip(" "), *lines[1:]]


def _pair(key: str, value: Any, column: int) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(i, dict) for i in value):
        return [" " * column + f"{key}:", *_block(value, column + 2)]
    return [" " * column + f"{inline(key)}: {inline(value)}"]


def _splice(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, key=lambda e: e[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _column(text: str, at: int) -> int:
    return at - _line_start(text, at) - (1 if _line_start(text, at) == 0 and text.startswith(_BOM) else 0)


def _line_end(text: str, at: int) -> int:
    """Return where the next line begins, or the end of the text."""
    if at and text[at - 1] == "\n":  # the content was a block scalar
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _lines(text: str, at: int, lines: Sequence[str]) -> str:
    """Return lines as they are inserted at the beginning of a line, or behind a last line without an end."""
    eol = _eol(text)
    joined = eol.join(lines)
    return joined + eol if text[:at].endswith("\n") else eol + joined


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return (type(value), value)  # 1, 1.0 and True are three values


def _proved(before: str, after: str, where: Sequence[int | str], new: Any) -> str:
    """Return `after` when it means `before` with `new` at a place: appended to a list, or set in a map."""
    old, made = parse(before.encode()), parse(after.encode("utf-8", "surrogatepass"))
    expected = _plain(old.root)
    here = expected
    for part in where[:-1]:
        here = here[part]
    last = where[-1]
    if isinstance(new, dict):
        here[last].update(_plain(_as_read(new)))
    else:
        present = here.get(last) if isinstance(last, str) else here[last]
        here[last] = [*(present if isinstance(present, list) else []), *_plain(_as_read(new))]
    if made.problems or _plain(made.root) != expected:
        raise Complaint(
            f"this cannot be written into {_path(where)} without touching something else: edit the file by hand",
            f"다른 내용을 건드리지 않고 {_path(where)}에 쓸 수 없습니다. 파일을 직접 수정하십시오",
        )
    return after


def _as_read(value: Any) -> Any:
    """Return what a value is when it was written and read again."""
    if isinstance(value, dict):
        return {str(k): _as_read(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_read(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _path(where: Sequence[int | str]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in where).lstrip(".")
