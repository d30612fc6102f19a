"""Payloads of an agent that is not ours, as the conformance kit reads them; records are signed, to get deep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agent.conform.daybook import Ledger
from agent.conform.findings import Broken, Finding
from agent.conform.reading import numbers, read, unknown
from contract.codec import decode
from contract.day import Day, Days, SignedDay
from contract.errors import WireError
from contract.manifest import Manifest
from contract.report import Report
from contract.signing import seal
from tests.fuzz.target import Target
from tests.golden import EXAMPLES, KEY, KEY_ID, TOPICS
from tests.golden.vectors import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable


def run(data: bytes) -> None:
    """Bytes are a payload, or a finding says what is wrong with them; a record is taken, or a finding says why."""
    for name, kind in (("manifest", Manifest), ("readiness", Report), ("days", Days)):
        try:
            read(data, kind, "t")
            told(numbers(data, "t"))
            list(unknown(data, name))
        except Broken as exc:
            told([exc.finding])
    ledger = Ledger(TOPICS)
    ledger.keys = {KEY_ID: KEY.public_key()}
    text = data.decode("utf-8", "replace")
    try:
        topic = TOPICS.day(decode(text.encode(), Day).date)
    except WireError:
        topic = TOPICS.day("?")
    found = told(ledger.take(SignedDay(text, KEY_ID, seal(topic, text, KEY))))
    assert bool(found) is not bool(ledger.days)
    assert not told(ledger.chain(list(ledger.days))) or ledger.days


def told(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings that each say something."""
    found = list(findings)
    assert all(one.expected and str(one).isprintable() for one in found), found
    return found


def seeds() -> list[bytes]:
    """Return payloads of each kind."""
    days = [(FOLDER / f"day-{n}.signed").read_bytes().partition(b"\n")[2] for n in (1, 2)]
    return [msgspec.json.encode(EXAMPLES[name]) for name in ("manifest", "readiness", "days")] + days


TARGET = Target(run, ("agent.conform", "contract"), seeds)
