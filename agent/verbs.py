"""What the running agent answers on its control socket."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from typing import TYPE_CHECKING

import msgspec

from agent import storage
from agent.carry import Courier
from agent.redacted import device_as_written
from agent.reload import arguments
from contract.report import ReportRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from agent.clock import Clock
    from agent.config.model import AgentConfig
    from agent.control import Answer, Handler
    from agent.fingerprint import Fingerprints
    from agent.fleet import Fleet
    from agent.latest import Latest
    from agent.maintenance import Maintenance
    from agent.memory import DiskMemory
    from agent.platform.office import Office
    from agent.recording import Recorder
    from agent.reload import Reload
    from agent.reporter import Reporter
    from agent.running import Running
    from agent.spool import Spool
    from agent.supervise import Sink

SETTLE_S = 1.5  # longer than the spool's time from one commit to the next


class Verbs:
    """The verbs and what they need.

    Args:
        about: Identity, clock and uplink in words, for `status`.
        version: Of this release.
    """

    def __init__(
        self,
        *,
        running: Running,
        reload: Reload,
        fleet: Fleet,
        latest: Latest,
        fingerprints: Fingerprints,
        maintenance: Maintenance,
        recorder: Recorder,
        memory: DiskMemory,
        sink: Sink,
        spool: Spool,
        clock: Clock,
        about: Callable[[], Mapping[str, object]],
        reporter: Reporter,
        office: Office,
        version: str,
    ) -> None:
        self._running = running
        self._reload = reload
        self._fleet = fleet
        self._latest = latest
        self._fingerprints = fingerprints
        self._maintenance = maintenance
        self._recorder = recorder
        self._memory = memory
        self._sink = sink
        self._spool = spool
        self._clock = clock
        self._about = about
        self._reporter = reporter
        self._office = office
        self._version = version
        self._encoding = asyncio.Lock()
        self._courier = Courier(spool)
        self._began = clock.monotonic()

    def table(self) -> Mapping[str, Handler]:
        """Return the handler of each verb."""
        return {
            "status": self._status,
            "spool": self._stored,
            "values": self._values,
            "config": self._config,
            "retry": self._retry,
            "confirm": self._confirm,
            "maintenance": self._work,
            "record": self._record,
            "apply": self._apply,
            "carry": self._carry,
            "answers": self._answers,
            "reporter": self._signing,
            "days": self._days,
            "report": self._report,
        }

    def _devices(self) -> dict[str, dict[str, object]]:
        work = self._maintenance.current()
        return {
            device: {**about, "changed": self._fingerprints.changed(device), "maintenance": work.get(device)}
            for device, about in self._fleet.overview().items()
        }

    def _status(self, _target: str, _args: Mapping[str, object]) -> Answer:
        config = self._running.config
        return {
            "agent": f"{config.factory}/{config.agent}",
            "name": config.name,
            "version": self._version,
            "process": os.getpid(),
            "time": str(self._clock.now()),
            "clock_trusted": self._clock.trusted,
            "config": self._running.digest,
            "devices": self._devices(),
            "spool": self._spool.stats()._asdict(),
            **self._about(),
        }

    def _stored(self, _target: str, _args: Mapping[str, object]) -> Answer:
        return {
            "time": str(self._clock.now()),
            "running_s": (self._clock.monotonic() - self._began) / 1e9,
            "spool": self._spool.stats()._asdict(),
            "storage": storage.about(self._running.config.storage),
        }

    async def _carry(self, _target: str, args: Mapping[str, object]) -> Answer:
        """Answer a question of `tsq-agent carry`; `settle` waits until the next commit has seen confirmations."""
        if args.get("do") == "settle":
            await self._clock.sleep(SETTLE_S)
            return {"ok": True}
        return await asyncio.to_thread(self._courier.answer, args)

    async def _values(self, target: str, args: Mapping[str, object]) -> bytes:
        """Answer with the last values of one device or all; `history: false` leaves the past out."""
        devices = self._devices()
        if target:
            devices = {target: devices[target]}
        head = {"time": str(self._clock.now()), "devices": devices}
        history = args.get("history") is not False
        async with self._encoding:  # many threads that compute would make slots late
            return await asyncio.to_thread(self._latest.encoded, head, frozenset(devices), history=history)

    async def _config(self, _target: str, _args: Mapping[str, object]) -> bytes:
        """Answer with the file in force, as it was read, and with what it means."""
        running = self._running
        async with self._encoding:
            return await asyncio.to_thread(_in_force, running.config, running.raw, running.digest)

    async def _answers(self, _target: str, _args: Mapping[str, object]) -> Answer:
        """Answer with what people have answered, and where that does not fit; all of one moment."""
        while True:
            sets, joined = await self._running.answered()
            contradictions = await asyncio.to_thread(self._reporter.contradictions)
            if self._reporter.joined is joined:
                break  # otherwise somebody has answered meanwhile, and what does not fit is of either
        return {
            "sets": sets,
            "plant": joined.plant.hash,
            "contradictions": [dataclasses.asdict(one) for one in contradictions],
        }

    async def _days(self, _target: str, args: Mapping[str, object]) -> AsyncIterator[Answer]:
        """Answer with the latest closed days of evidence, `last` of them, one by one."""
        last = args.get("last")
        if not isinstance(last, int) or last < 1:
            raise ValueError("write how many days, last")
        for day in (await asyncio.to_thread(self._spool.dates))[-last:]:
            raw = await asyncio.to_thread(self._spool.day, day)
            if raw is not None:
                yield {"day": day, "body": raw.decode("utf-8", "replace")}

    async def _report(self, target: str, _args: Mapping[str, object]) -> bytes:
        """Answer with the readiness report, of the plant or of one machine, or why there is none."""
        return await asyncio.to_thread(self._reporter.respond, ReportRequest(target or None))

    async def _signing(self, _target: str, args: Mapping[str, object]) -> Answer:
        """Answer with who signs the days of this agent; `do: take` goes on with the chain of another box."""
        taken = args.get("do") == "take" and await asyncio.to_thread(self._office.take, str(args.get("author", "")))
        return {**self._office.about(), "taken": taken}

    def _retry(self, target: str, _args: Mapping[str, object]) -> Answer:
        device = target if target in self._devices() else target.split(".", maxsplit=1)[0]
        self._fleet.retry(device)
        return {"ok": True, "device": device}

    async def _confirm(self, target: str, args: Mapping[str, object]) -> Answer:
        event = self._fingerprints.confirm(target, str(args.get("author", "")))
        if event is not None:
            self._sink.put(event)
            await asyncio.to_thread(self._memory.write)  # what a person has said is not said again
        return {"ok": True, "device": target, "changes": None if event is None else event.body["changes"]}

    async def _work(self, target: str, args: Mapping[str, object]) -> Answer:
        """Start or stop maintenance of one device or all."""
        author, reason, length = str(args.get("author", "")), str(args.get("reason", "")), args.get("for_ns")
        devices = [target] if target else sorted(self._fleet.overview())
        if not (length is None or isinstance(length, int)):
            raise ValueError("for_ns is an integer")
        if args.get("do") == "start":
            for device in devices:
                self._maintenance.start(device, author, reason, length)
        elif args.get("do") == "stop":
            devices = [device for device in devices if self._maintenance.stop(device, author) is not None]
        else:
            raise ValueError("do is start or stop")
        await asyncio.to_thread(self._memory.write)
        return {"ok": True, "devices": devices}

    def _record(self, target: str, args: Mapping[str, object]) -> AsyncIterator[Answer]:
        seconds = args.get("seconds", 60.0)
        if target not in {device.id for device in self._running.config.devices}:
            raise KeyError(target)
        if not isinstance(seconds, int | float):
            raise ValueError("seconds is a number")  # noqa: TRY004 - said to the asker
        return self._recorded(target, float(seconds))

    async def _recorded(self, device: str, seconds: float) -> AsyncIterator[Answer]:
        raw, folder = self._running.raw, self._running.folder
        config = await asyncio.to_thread(device_as_written, raw, folder, device)  # a large file takes half a second
        header = {
            "device": device,
            "protocol": config.get("type"),
            "version": self._version,
            "time": str(self._clock.now()),
            "config": config,
            "memory": self._memory.topics(device),
        }
        async with contextlib.aclosing(self._recorder.record(device, seconds, header)) as lines:
            yield await anext(lines)
            if config.get("type") == "opcua":  # its frames mean nothing without the session that they belong to
                await self._running.renew(device)
            async for line in lines:
                yield line

    def _apply(self, _target: str, args: Mapping[str, object]) -> AsyncIterator[Answer]:
        text, author, watch_s, anyway = arguments(args)
        return self._reload.apply(text, author, watch_s, anyway=anyway)


def _in_force(config: AgentConfig, raw: bytes, digest: str) -> bytes:
    text, meaning = raw.decode("utf-8", "replace"), config.model_dump(mode="json")
    return msgspec.json.encode({"hash": digest, "text": text, "meaning": meaning})
