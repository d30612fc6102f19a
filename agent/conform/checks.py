"""What the kit looks at, in order; those that load the agent come last.

A check knows an agent only by the wire: topics, retained flags, payloads, signatures, the chain, answers, limits.
It yields what it finds, and ends early with `Broken` where nothing behind can be read, with `Open` where it
cannot tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.conform import asking, retained
from agent.conform.findings import OLDER, PAGE, Broken, Finding, Open, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from agent.conform.bench import Bench

    Check = Callable[[Bench], Iterator[Finding]]


def mqtt(bench: Bench) -> Iterator[Finding]:
    """How the agent can be asked."""
    if bench.port.version == "5" and bench.port.way == "body":
        raise Open(f"the agent hears no properties (MQTT 3.1.1): all was asked in the body, {PAGE}{OLDER}")
    yield from ()


CHECKS: Mapping[str, Check] = {
    "manifest": retained.manifest,
    "report": retained.report,
    "topics": retained.flags,
    "consent": retained.consent,
    "chain": asking.chain,
    "verbs": asking.verbs,
    "refusals": asking.refusals,
    "answers": asking.answers,
    "silence": asking.silence,
    "events": retained.events,
    "more": retained.more,
    "mqtt": mqtt,
    "limits": asking.limits,
}


def run(bench: Bench, only: Iterable[str] = CHECKS) -> Iterator[Result]:
    """Yield the result of each check, or of some."""
    chosen = [name for name in CHECKS if name in set(only)]
    try:
        bench.manifest  # noqa: B018 - whether it can be read
    except Broken as exc:  # each question would only wait for an agent that is not there
        yield Result("manifest", ok=False, findings=(exc.finding,))
        for name in chosen:
            if name != "manifest":
                yield Result(name, ok=None, text="no manifest that can be read, so nothing was asked")
        return
    _way(bench)
    for name in chosen:
        yield one(name, CHECKS[name], bench)


def one(name: str, check: Check, bench: Bench) -> Result:
    """Return the result of a check."""
    findings: list[Finding] = []
    try:
        for finding in check(bench):
            if finding not in findings:
                findings.append(finding)
    except Broken as exc:
        findings.append(exc.finding)
    except Open as exc:
        if not findings:
            return Result(name, ok=None, text=str(exc))
    return Result(name, ok=not findings, findings=tuple(findings))


def _way(bench: Bench) -> None:
    """Find out whether the agent hears properties: one that is connected with MQTT 3.1.1 never gets them."""
    port = bench.port
    if port.way == "properties" and port.ask("consent.get", b"{}", bench.patience.answer) is None:
        port.way = "body"
        if port.ask("consent.get", b"{}", bench.patience.answer) is None:
            port.way = "properties"
