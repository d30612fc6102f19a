"""The verbs of the platform, from bytes to bytes; who may ask was decided before (`agent.platform.gate`)."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from agent.errors import WireError
from agent.files import put, thin
from agent.platform.cut import cut
from agent.platform.key import private
from agent.requests import RequestError
from contract.codec import PLAIN_LIMIT, decode, encode
from contract.consent import SCOPES
from contract.day import DayRequest, Days
from contract.report import ReportRequest
from contract.signing import check, follows, key_id, open_signed, seal
from contract.topics import PREFIX
from contract.verbs import (
    DAY_S,
    Baseline,
    BaselineRequest,
    Exit,
    ExitCheck,
    FitRequest,
    FrozenDay,
    MdeRequest,
    SignedBaseline,
    Solution,
    WindowRequest,
)
from readiness.daily import METRICS
from readiness.evidence import digest
from readiness.fit import fit
from readiness.history import restlessness, series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agent.platform.consent import Agreed
    from agent.platform.daybook import Daybook
    from agent.platform.source import Assessed, Source
    from contract.day import Day, SignedDay
    from contract.manifest import Head
    from contract.signing import PublicKey
    from contract.topics import AgentTopics

T = TypeVar("T")
DAYS_BYTES = PLAIN_LIMIT - 8192
LONGEST = 400
"""Days that one request may reach over."""
BASELINES, BASELINES_BYTES = 1000, 10**8
"""Baselines that are kept, and what they may take."""
FIT = f"{PREFIX}/fit"
BASELINE = "baseline_frozen"


class Asked:
    """Answers.

    Args:
        reporter: Assesses.
        book: Signed days.
        agreed: What may be seen.
        topics: The agent's branch.
        folder: State folder.
        now: UTC ns.
        register: Key by which the platform signs what is registered; None: no solution is.
        tell: Publishes an event: topic and payload.
    """

    def __init__(
        self,
        reporter: Source,
        book: Daybook,
        agreed: Agreed,
        topics: AgentTopics,
        folder: Path,
        now: Callable[[], int],
        register: PublicKey | None,
        tell: Callable[[str, bytes], object],
    ) -> None:
        self._reporter = reporter
        self._book = book
        self._agreed = agreed
        self._topics = topics
        self._folder = folder
        self._now = now
        self._register = register
        self._tell = tell

    def table(self) -> Mapping[str, Callable[[bytes], bytes]]:
        """Return the handler of each verb."""
        return {
            "report.get": self._report,
            "day.get": self._days,
            "window.get": self._window,
            "mde.get": self._mde,
            "fit.check": self._fit,
            "baseline.freeze": self._freeze,
            "consent.get": lambda _body: self._agreed.answer(),
            "exit.test": lambda _body: self._exit(),
        }

    def _report(self, body: bytes) -> bytes:
        request = _read(body, ReportRequest)
        scopes = self._agreed.scopes
        if request.machine is not None:
            if "machines" not in scopes:
                raise RequestError("no_consent", "the factory has not agreed to values of single machines")
            found = self._assessed().machine(request.machine)
            if found is None:
                raise RequestError("no_data", f"no machine {request.machine!r} in the inventory of this agent")
            return encode(found)
        part = cut(self._assessed().plant(), scopes)
        if part is None:
            raise RequestError("no_consent", "the factory has not agreed to the report")
        return encode(part)

    def _assessed(self) -> Assessed:
        try:
            return self._reporter.assessment()
        except sqlite3.Error as exc:
            raise RequestError("no_data", f"the agent cannot read its evidence now: {exc}") from exc

    def _days(self, body: bytes) -> bytes:
        request = _read(body, DayRequest)
        first, last = _span(request.from_, request.to)
        self._of_machines()
        found: list[SignedDay] = []
        size, more = 0, None
        for signed, opened in self._book.records(first.isoformat(), last.isoformat()):
            size += len(encode(signed)) + 1
            if found and size > DAYS_BYTES:
                more = opened.day.date
                break
            found.append(signed)
        if not found:
            raise RequestError("no_data", f"no day from {request.from_} to {request.to} is signed")
        return encode(Days(found, more))

    def _between(self, first: date, last: date) -> tuple[list[Day], list[Head]]:
        found = [opened for _, opened in self._book.records(first.isoformat(), last.isoformat())]
        if not found:
            raise RequestError("no_data", f"no day from {first} to {last} is signed")
        return [opened.day for opened in found], [opened.head for opened in found]

    def _window(self, body: bytes) -> bytes:
        request = _read(body, WindowRequest)
        first, last = _span(request.from_, request.to)
        if request.step_s < DAY_S:
            raise RequestError("too_fine", "a day is the finest step outside the factory")
        if request.step_s % DAY_S:
            raise RequestError("bad_request", f"step_s is a multiple of {DAY_S}")
        if request.machine is not None:
            self._of_machines()
        self._known([request.metric], [] if request.machine is None else [request.machine])
        days, _ = self._between(first, last)
        found = series(days, request.metric, first, last, request.step_s // DAY_S, request.machine)
        if found is None:
            raise RequestError("no_data", f"no signed day knows {request.metric}")
        return encode(found)

    def _mde(self, body: bytes) -> bytes:
        request = _read(body, MdeRequest)
        first, last = _span(request.from_, request.to)
        if request.machines:
            self._of_machines()
        self._known([request.metric], request.machines)
        days, _ = self._between(first, last)
        found = restlessness(days, request.metric, first, last, frozenset(request.machines))
        if found is None:
            raise RequestError("no_data", f"too few days of {request.metric} to say how much it changes")
        return encode(found)

    def _fit(self, body: bytes) -> bytes:
        request = _read(body, FitRequest)
        if self._register is None:
            raise RequestError("no_data", "this agent has no key of the platform, so no solution is registered")
        if request.key != key_id(self._register):
            raise RequestError("bad_request", f"registered by the key {request.key}, which is not the platform's")
        try:
            check(FIT, request.registered, request.signature, self._register)
        except WireError as exc:
            raise RequestError("bad_request", f"not a registered solution: {exc}") from exc
        solution = _read(request.registered.encode(), Solution)
        missing = request.audience in {"owner", "mentor"} and "fit_missing" in self._agreed.scopes
        found = fit(self._assessed(), solution, request.machine, missing=missing)
        if found is None:
            raise RequestError("no_data", f"no machine {request.machine or ''!r} in the inventory of this agent")
        return encode(found)

    def _freeze(self, body: bytes) -> bytes:
        request = _read(body, BaselineRequest)
        if not self._book.free:
            raise RequestError("busy", f"nothing is signed now: {self._book.trouble}")
        first, last = _span(request.from_, request.to)
        self._of_machines()
        self._known(request.metrics, [*request.treated, *request.controls])
        if set(request.treated) & set(request.controls):
            raise RequestError("bad_request", "a machine is treated or a control, not both")
        _, heads = self._between(first, last)
        path = self._folder / "baselines" / f"{request.project}.json"
        if path.exists():  # frozen once: what was asked again is answered with what stands
            kept = decode(path.read_bytes(), SignedBaseline)
            before = decode(kept.baseline.encode(), Baseline)
            asked = (request.metrics, request.treated, request.controls, [h.hash for h in heads])
            if (before.metrics, before.treated, before.controls, [d.hash for d in before.days]) != asked:
                raise RequestError("bad_request", f"the baseline of {request.project} is frozen already, otherwise")
            return encode(kept)
        frozen = Baseline(
            factory=self._topics.factory,
            agent=self._topics.agent,
            project=request.project,
            frozen_at=str(self._now()),
            metrics=request.metrics,
            treated=request.treated,
            controls=request.controls,
            days=[FrozenDay(head.date, head.hash) for head in heads],
        )
        text, topic = encode(frozen).decode(), self._topics.event(BASELINE)
        raw = encode(SignedBaseline(text, self._book.key, seal(topic, text, self._book.private)))
        try:
            put(path, raw)
            thin(sorted(path.parent.glob("*.json"), key=_written_ns), BASELINES, BASELINES_BYTES)
        except OSError as exc:
            raise RequestError("no_data", f"the disk does not keep a baseline: {exc.strerror}") from exc
        self._tell(topic, raw)
        return raw

    def _exit(self) -> bytes:
        dates = self._book.dates()
        whole = bool(dates) and self._unbroken(dates)
        evidence = dict(self._reporter.past.days())
        checks = [
            ExitCheck("chain", whole, len(dates)),
            ExitCheck("evidence", bool(evidence), len(evidence)),
            ExitCheck("answers", ok=True, n=len(self._reporter.joined.plant.answers)),
            ExitCheck("consent", self._agreed.entries > 0, self._agreed.entries),
            ExitCheck("key", private(self._folder), 1),
        ]
        covered = [day for day in evidence if dates and dates[0] <= day <= dates[-1]]
        recorded = len(set(covered) & set(dates)) / len(covered) if covered else 0.0
        return encode(
            Exit(
                ok=all(one.ok for one in checks),
                checks=checks,
                key=self._book.key,
                scopes=sorted(self._agreed.scopes, key=SCOPES.index),
                evidence=digest(evidence.values()),
                coverage=round(recorded, 6),
            )
        )

    def _unbroken(self, dates: list[str]) -> bool:
        """Return whether all records are whole and follow one another, as anybody could see by the public key.

        Records of an earlier key, which this box cannot verify, divide the chain into pieces.
        """
        before: Head | None = None
        for each in dates:
            signed = self._book.signed(each)
            if signed is None:
                return False
            if signed.key != self._book.key:
                before = None
                continue
            try:
                opened = open_signed(signed, self._topics, {self._book.key: self._book.public})
            except WireError:
                return False
            if before is not None and follows(opened, before) is not None:
                return False
            before = opened.head
        return True

    def _known(self, metrics: list[str], machines: list[str]) -> None:
        unknown = [name for name in metrics if name not in METRICS]
        unknown += sorted(set(machines) - {m.id for m in self._reporter.joined.plant.machines})
        if unknown:
            raise RequestError("no_data", f"this agent does not know {', '.join(unknown[:5])}")

    def _of_machines(self) -> None:
        if "machines" not in self._agreed.scopes:
            raise RequestError("no_consent", "the factory has not agreed to values of single machines")


def _written_ns(path: Path) -> int:
    return path.stat().st_mtime_ns


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return decode(body.strip() or b"{}", kind)
    except WireError as exc:
        raise RequestError("bad_request", str(exc)) from exc


def _span(first: str, last: str) -> tuple[date, date]:
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as exc:
        raise RequestError("bad_request", f"no such date: {exc}") from exc
    if not 0 <= (end - begin).days < LONGEST:
        raise RequestError("bad_request", f"from is not after to, and at most {LONGEST} days are answered at once")
    return begin, end
