"""`tsq-agent check`: is the file right, and with `--connect`, what does each device say now."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent import collectors
from agent.cli import networks
from agent.cli.origins import origins
from agent.cli.table import clean, table, width
from agent.cli.values import words
from agent.cli.words import QUALITY, TROUBLES, status_text
from agent.collectors.base import Box
from agent.config.load import load
from agent.frame import quality
from settings.base import written
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from agent.config.model import AgentConfig, Device
    from agent.probe import Probe
    from settings.language import Language

_VALUE = 4
_LEAST = (3, 0, 1)
"""Columns of the table of values that a narrow terminal can do without, one after the other."""
SLOWEST_REPORT_NS = 2 * 10**9


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("the configuration file", "설정 파일")
    connect = Text("read each source once and show the values", "수집 단위마다 한 번씩 읽어 값을 보여 줌")
    parser.add_argument("file", type=Path, help=file(language))
    parser.add_argument("--connect", action="store_true", help=connect(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Check a configuration file and print what it holds; never touches the network without `--connect`.

    Returns:
        0, or 1 when something that was read is not good.

    Raises:
        ConfigError: the file cannot be used; the text holds every complaint.
    """
    config = load(args.file, language)
    for line in summary(config, str(args.file), language):
        print(line)
    for text in config.notes():
        print(text(language))
    if not args.connect:
        return 0
    probes = asyncio.run(read_all(config))
    print()
    good = True
    for text in _overlaps(config):
        good = False
        print(text(language))
    for line in values(config, probes, language, _columns()):
        print(line)
    for device, probe in zip(config.devices, probes, strict=True):
        good = good and probe.trouble is None and _all_good(device, probe)
        for text in (*([probe.trouble] if probe.trouble else []), *probe.refused):
            said = text(language)
            print(clean(said if said.startswith(device.id) else f"{device.id}: {said}"))
    return 0 if good else 1


def summary(config: AgentConfig, name: str, language: Language) -> Iterator[str]:
    """Yield what a correct file holds: totals, and a line for each source."""
    sources = config.sources()
    connected = {machine for source in sources for machine in source.machines()}
    count = sum(len(source.signals) for source in sources)
    yield Text(f"{name}: no mistakes found ({config.name})", f"{name}: 이상 없음 ({config.name})")(language)
    machines, devices = len(config.machines), len(config.devices)
    yield Text(
        f"{machines} machines ({len(connected)} connected), {devices} devices, {count} signals",
        f"설비 {machines}대(연결 {len(connected)}대), 장치 {devices}대, 태그 {count}개",
    )(language)
    if not sources:
        return
    yield ""
    head = Text("source,protocol,mode,interval,signals,requests", "수집 단위,프로토콜,방식,주기,태그,요청")(
        language
    )
    modes = {"poll": Text("poll", "주기 읽기"), "subscription": Text("subscription", "구독")}
    requests = {source: n for device in config.devices for source, n in device.requests().items()}
    rows = [
        (
            source.id,
            source.protocol,
            modes[source.mode](language),
            written(source.interval_ns),
            str(len(source.signals)),
            str(requests.get(source.id, "-")),
        )
        for source in sources
    ]
    yield from table(head.split(","), rows, frozenset({3, 4, 5}))
    notes = [*(text(language) for text in _slow_timeouts(config)), *origins(config, language)]
    if notes:
        yield ""
        yield from notes


def _slow_timeouts(config: AgentConfig) -> Iterator[Text]:
    """Yield a note for each polled source whose device may keep us waiting for longer than its interval."""
    timeouts = {device.id: getattr(device, "timeout", 0) for device in config.devices}
    for source in config.sources():
        timeout, every = timeouts[source.device], source.interval_ns
        if source.mode == "poll" and timeout >= 2 * every:
            lost = -(-timeout // every)
            yield Text(
                f"{source.id}: a silent answer is waited for {written(timeout)} (timeout) and skips up to {lost} "
                f"readings of {written(every)}",
                f"{source.id}: 응답이 없으면 {written(timeout)}(timeout) 동안 기다립니다. {written(every)} 주기를 "
                f"최대 {lost}회 놓칩니다",
            )


def _overlaps(config: AgentConfig) -> Iterator[Text]:
    """Yield what is wrong with the networks of this box, where its kernel tells them."""
    with contextlib.suppress(OSError, ValueError):
        yield from networks.overlaps(config.devices, networks.connected(Path(networks.ROUTES).read_text("ascii")))


async def read_all(config: AgentConfig) -> list[Probe]:
    """Read all devices at the same time; one that fails never hides the others."""
    from agent.clock import SystemClock  # noqa: PLC0415 - without --connect nothing of this is needed
    from agent.probe import probe  # noqa: PLC0415

    box = Box(SystemClock(trusted=config.time.trust_local_clock), pki=str(config.storage.directory / "pki"))
    return await asyncio.gather(*(probe(collectors.make(_hurried(device), box)) for device in config.devices))


def _hurried(device: Device) -> Device:
    """Return the device with subscriptions that report soon: the first report comes after one interval."""
    groups = [
        group.model_copy(update={"every": min(group.every, SLOWEST_REPORT_NS)})
        if getattr(group, "mode", "poll") == "subscription"
        else group
        for group in device.groups
    ]
    return device.model_copy(update={"groups": tuple(groups)})


def values(
    config: AgentConfig, probes: Sequence[Probe], language: Language, columns: int | None = None
) -> Iterator[str]:
    """Yield a table of what each signal said; on a terminal of few columns without what the file says anyway."""
    addresses = config.addresses()
    rows = []
    for device, probe in zip(config.devices, probes, strict=True):
        for source in device.sources():
            for index, signal in enumerate(source.signals):
                value, status = probe.values.get((source.id, index), (None, None))
                rows.append(
                    (
                        signal.machine,
                        signal.id,
                        signal.name,
                        addresses[signal.machine, signal.id],
                        _cut(words(value, signal.dtype, config.time.zone, labels=signal.labels)),
                        signal.unit or "",
                        "-" if status is None else QUALITY[quality(status)](language),
                        TROUBLES[probe.kind](language) if status is None else status_text(status)(language),
                    )
                )
    head = Text("machine,signal,name,address,value,unit,quality,status", "설비,태그,이름,주소,값,단위,품질,상태")(
        language
    )
    titles = head.split(",")
    lines: list[str] = []
    for left_out in range(len(_LEAST) + 1):
        kept = [i for i in range(len(titles)) if i not in _LEAST[:left_out]]
        cells = [[row[i] for i in kept] for row in rows]
        lines = list(table([titles[i] for i in kept], cells, frozenset({kept.index(_VALUE)})))
        if columns is None or max(map(width, lines)) <= columns:
            break
    yield from lines


def _columns() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "\N{HORIZONTAL ELLIPSIS}"


def _all_good(device: Device, probe: Probe) -> bool:
    expected = sum(len(source.signals) for source in device.sources())
    return len(probe.values) == expected and all(status >> 30 == 0 for _, status in probe.values.values())
