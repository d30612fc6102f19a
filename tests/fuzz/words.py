"""Addresses, node ids and patterns as people type them."""

from __future__ import annotations

import unicodedata

from agent.collectors.modbus import address as modbus
from agent.collectors.opcua.glob import Glob
from agent.collectors.opcua.node import parse
from agent.collectors.xgt import address as xgt
from settings.language import Complaint
from tests.fuzz.target import Target

SEEDS = [
    "holding:8", "400009", "40009", "D00120", "M0012F", "P0003A", "D00100.5", "%MW100", "%MX1603", "%MW100.3",
    "％ＭＷ０", "%IX0.0.0", "ns=2;s=Machine.Speed", "nsu=urn:x;i=5", "Objects/*/Axes/**/Actual?", "U03.12",
]  # fmt: skip


def run(data: bytes) -> None:
    """A word is an address, or a complaint that speaks both languages; never anything else."""
    text = data.decode("utf-8", "replace")[:200]
    for read in (
        modbus.place,
        modbus.both_notations,
        lambda word: xgt.place(word, bit=False),
        lambda word: xgt.place(word, bit=True),
        parse,
    ):
        complaint = None
        try:
            read(text)
        except Complaint as exc:
            complaint = exc
        assert complaint is None or (complaint.text.en and complaint.text.ko)
    for wide in (text, unicodedata.normalize("NFKC", text)):
        try:
            glob = Glob(wide)
        except Complaint:
            continue
        state = glob.begin(["Objects"])
        for name in wide.split("/")[:20]:
            state = glob.step(state, name)
        glob.accepts(state)


TARGET = Target(
    run,
    ("agent.collectors.modbus.address", "agent.collectors.opcua.node", "agent.collectors.opcua.glob",
     "agent.collectors.xgt.address"),
    lambda: [word.encode() for word in SEEDS],
)  # fmt: skip
