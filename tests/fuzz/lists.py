"""Tag lists of others, recordings of the field, and edits of the technician's file."""

from __future__ import annotations

import json

import yaml

from agent import edit
from agent.config.load import read
from agent.importing import rows, table
from agent.importing.document import device, written
from agent.importing.encoding import decode
from agent.importing.signals import signals
from agent.replaying import script
from settings.language import Complaint
from tests.agent.importing import files as exports
from tests.fuzz.files import samples
from tests.fuzz.target import Target

BASE = """\
version: 1
factory: f
agent: a
name: n
time: {zone: Asia/Seoul}
machines: [{id: m}]
uplink: {site: {host: 127.0.0.1}}
"""


def exports_of_others() -> list[bytes]:
    """Return lists in several layouts and encodings."""
    texts = [exports.VER31_XGI, exports.VER31_XGK, exports.XGB, exports.LOCAL_10, exports.GENERIC_KO]
    return [text.encode(codec) for text in texts for codec in ("cp949", "utf-8-sig", "utf-16")]


def lists(data: bytes) -> None:
    """A tag list becomes a section that passes the check and says what was taken, or it is refused."""
    try:
        text, _ = decode(data)
        result = signals(table.recognise(rows.from_csv(text)))
    except Complaint:
        return
    if not any(signal.chosen for signal in result.signals):
        return
    made = device(result, name="plc", machine="m", host="192.168.0.10", every="1s")
    config, problems = read((BASE + written(made, result, "list.csv", "ko")).encode())
    assert not problems, problems[0]
    assert config is not None
    known = {s.id for source in config.sources() for s in source.signals}
    assert {s.entry["id"] for s in result.signals if s.chosen} <= known


def recording() -> bytes:
    """Return a recording as `tsq-agent record` writes it."""
    lines = [
        {"recording": 1, "device": "plc", "protocol": "modbus", "config": {"transport": "tcp"}},
        {"ns": 1, "dir": "note", "text": "connected"},
        {"ns": 2, "dir": "sent", "hex": "000100000006010300000001"},
        {"ns": 3, "dir": "received", "hex": "00010000000501030200ff"},
        {"ns": 4, "dir": "sent", "hex": "000200000006010300000001"},
        {"ns": 5, "dir": "note", "text": "timeout"},
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


def recordings(data: bytes) -> None:
    """A recording is read, or the line that is none is named."""
    try:
        script.read(data.decode("utf-8", "replace").splitlines())
    except ValueError as exc:
        assert str(exc).startswith("line "), exc  # noqa: PT017 - any other ValueError is the finding


def comments(text: str) -> list[str]:
    """Return what stands behind a `#` at the beginning of a line or after a blank, in order."""
    return [line.partition(" #")[2] or line for line in text.splitlines() if line.lstrip().startswith("#")]


def edits(data: bytes) -> None:
    """What is added is in the file, every comment line is still there, and nothing else has changed."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    config, _ = read(data)
    if config is None or not config.devices:
        return
    entry = {"id": "added", "name": "추가: #1", "address": "holding:65000", "type": "uint16"}
    for target in config.devices:
        try:
            after = edit.add_signals(text, target.id, target.groups[0].id, [entry])
        except Complaint:
            continue
        kept = iter(comments(after))
        assert all(comment in kept for comment in comments(text))
        assert "added" in json.dumps(yaml.safe_load(after), default=str)


LISTS = Target(lists, ("agent.importing",), exports_of_others, share=2.0)
RECORDINGS = Target(recordings, ("agent.replaying.script",), lambda: [recording()])
EDITS = Target(edits, ("agent.edit",), samples)
