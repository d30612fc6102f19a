"""`tsq-agent explain`: which requests read a device, why these, and what they cost; works without the device.

The plan is made by the collector's own functions, with what the running agent has measured and learned, where its
folder may be read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.table import clean, table
from agent.config.load import load
from agent.memory import DiskMemory
from settings.base import written
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.collectors.base import Memory
    from agent.collectors.planning import DevicePlan, SourcePlan
    from agent.config.model import Device
    from agent.frame import Source
    from settings.language import Language

SECOND = 1_000_000_000

_HEAD = Text("from,to,length,asked for,signals,time", "시작,끝,길이,필요한 길이,태그,시간")
_MODES = {"subscription": Text("subscription", "구독"), "poll": Text("poll", "주기 읽기")}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("the configuration file", "설정 파일")
    device = Text("one device; all when absent", "장치 하나만(없으면 전체)")
    parser.add_argument("file", type=Path, help=file(language))
    parser.add_argument("device", nargs="?", metavar="DEVICE", help=device(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Print how each device is read; never touches the network.

    Returns:
        0, or 1 when there is no such device.

    Raises:
        ConfigError: the file cannot be used.
    """
    config = load(args.file, language)
    devices = [d for d in config.devices if args.device in {None, d.id}]
    if not devices:
        ids = ", ".join(device.id for device in config.devices)
        text = Text(f"no device {args.device}: there are {ids}", f"{args.device} 장치가 없습니다. 있는 장치: {ids}")
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    memory = DiskMemory(config.storage.directory)
    for number, device in enumerate(devices):
        if number:
            print()
        for line in explain(device, memory, language):
            print(line)
    return 0


def explain(device: Device, memory: Memory, language: Language) -> Iterator[str]:
    """Yield what is to be said about one device."""
    yield clean(f"{device.id}: {device.name}" if device.name else device.id)
    plan = device.explained(memory)
    if plan is None:
        yield from _told_by_sources(device, language)
        return
    if plan.cost is not None:
        unit = plan.unit(language)
        overhead, each = _ms(plan.cost.overhead_ns), _ms(plan.cost.per_unit_ns)
        how = (
            Text("measured on this link", "이 회선에서 측정한 값")
            if plan.measured
            else Text("assumed", "가정한 값")
        )
        text = Text(
            f"a request takes {overhead}, and {each} for each {unit} ({how.en})",
            f"요청 1회 {overhead}, {unit} 1개당 {each} ({how.ko})",
        )
        yield f"  {text(language)}"
    for note in plan.notes:
        yield f"  {clean(note(language))}"
    yield from (f"  {line}" for line in _budget(device, plan, language))
    for source in plan.sources:
        yield ""
        yield from _source(source, language)


def _source(source: SourcePlan, language: Language) -> Iterator[str]:
    requests = source.requests
    units, asked = sum(r.units for r in requests), sum(r.asked for r in requests)
    taken = sum(r.cost_ns for r in requests)
    every = written(source.every_ns)
    share = f"{taken / source.every_ns:.1%}"
    text = Text(
        f"{source.source}: {_count(source.signals, 'signal')} every {every} by {_count(len(requests), 'request')} "
        f"of {units} in all ({asked} asked for), {_ms(taken)} ({share} of the interval)",
        f"{source.source}: 태그 {source.signals}개, 주기 {every}, 요청 {len(requests)}회, 전체 길이 {units}"
        f"(필요한 길이 {asked}), {_ms(taken)}(주기의 {share})",
    )
    naive = Text(
        f"  one request for each signal would be {_count(source.naive, 'request')}, {_ms(source.naive_ns)}",
        f"  태그마다 따로 읽으면 요청 {source.naive}회, {_ms(source.naive_ns)}",
    )
    yield clean(text(language))
    yield naive(language)
    if not requests:
        return
    rows = [(r.first, r.last, str(r.units), str(r.asked), str(r.signals), _ms(r.cost_ns)) for r in requests]
    yield from (f"  {line}" for line in table(_HEAD(language).split(","), rows, frozenset({2, 3, 4, 5})))


def _budget(device: Device, plan: DevicePlan, language: Language) -> Iterator[str]:
    budget = device.budget
    asked = sum(len(s.requests) / s.every_ns for s in plan.sources) * SECOND
    busy = sum(r.cost_ns / s.every_ns for s in plan.sources for r in s.requests)
    rate = f"{asked:.3g}"
    text = Text(
        f"budget: {rate} of {budget.requests_per_second:g} requests a second "
        f"({asked / budget.requests_per_second:.0%}), {busy:.1%} of the time under way, at most {budget.busy:.0%}",
        f"요청 한도: 초당 {rate}회 / {budget.requests_per_second:g}회({asked / budget.requests_per_second:.0%}), "
        f"통신 시간 {busy:.1%} / 최대 {budget.busy:.0%}",
    )
    yield text(language)
    if asked > budget.requests_per_second or busy > budget.busy:
        yield Text(
            "MORE than the budget permits: slots will be skipped. Read less often, read less, or raise budget",
            "한도 초과: 일부 주기를 건너뛰게 됩니다. 수집 주기를 늘리거나 태그를 줄이거나 budget을 올리십시오",
        )(language)


def _told_by_sources(device: Device, language: Language) -> Iterator[str]:
    """Yield what is known of a protocol whose requests depend on the server."""
    requests = device.requests()
    for source in device.sources():
        yield "  " + clean(_one_source(source, requests.get(source.id), language))


def _one_source(source: Source, requests: int | None, language: Language) -> str:
    every, count = written(source.interval_ns), len(source.signals)
    if source.mode == "subscription" and requests is None:
        return Text(
            f"{source.id}: {_count(count, 'item')} in one subscription, reported at most every {every}; no reading",
            f"{source.id}: 구독 1개에 항목 {count}개, 보고 주기 {every}, 따로 읽지 않음",
        )(language)
    mode = _MODES.get(source.mode, _MODES["poll"])
    known = Text("", "")
    if requests is not None:
        known = Text(f", {_count(requests, 'request')}", f", 요청 {requests}회")
    return Text(
        f"{source.id}: {mode.en}, {_count(count, 'item')} every {every}{known.en}",
        f"{source.id}: {mode.ko}, 항목 {count}개, 주기 {every}{known.ko}",
    )(language)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _ms(duration_ns: int) -> str:
    """Return a duration for people: microseconds, milliseconds or seconds."""
    if duration_ns < 100_000:
        return f"{duration_ns / 1e3:.3g} us"
    if duration_ns < SECOND:
        return f"{duration_ns / 1e6:.3g} ms"
    return f"{duration_ns / 1e9:.3g} s"
